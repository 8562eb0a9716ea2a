"""The coordinator's phases of one photo: accept, learn, assign, publish. They need no model.

They alone know people, targets and own outputs. It fails closed: what a worker brings is
published only if it was measured on the very bytes and holds.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import cache, partial
from shlex import quote

from photocloak import exporters
from photocloak.core import ConfigError, ExitCode, OutputError
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.attributes import average
from photocloak.engine.targets.library import Target, TargetLibrary
from photocloak.engine.verify import whole_box
from photocloak.plugin.people.assignment import Assignment, Choose, ObservedFace, Sighted, UserHint
from photocloak.plugin.people.learning import Merged
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline import deadline
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakPlan,
    CloakRequest,
    Detections,
    PhotoTask,
)
from photocloak.plugin.pipeline.process_photo import seed_of
from photocloak.plugin.pipeline.reasons import out_of_reach, too_weak
from photocloak.plugin.pipeline.shelf import Shelf
from photocloak.plugin.storage.folders import why_not_writable
from photocloak.plugin.storage.written_files import sha256_of, signature_of

NAMED = 10
"""Photos that a remark names; of more it says how many."""


class Decisions:
    """Keeps the user's stores; decides before a worker begins, between its phases, and after."""

    def __init__(
        self,
        people: People,
        shelf: Shelf,
        library: TargetLibrary,
        *,
        load_policy: Callable[[str], exporters.Policy] = exporters.load_policy,
    ) -> None:
        self._people, self._shelf, self._library = people, shelf, library
        self._policy = cache(load_policy)
        self._choose = chooser(library)

    def check(self, job: Job) -> None:
        """Raise ConfigError when no photo could be done like this, before a batch is begun."""
        load_mode(job.mode)
        self._policy(job.preset)
        if job.faces == "me" and job.hint == UserHint():
            self._people.require_named()

    def accept(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, or say at once what comes of the photo.

        It is done before, an output of ours, or a copy of a photo that is done.
        """
        if reason := why_not_writable(job.folder):
            raise OutputError(f"{job.source}: cannot be written to {job.folder}: {reason}.")
        deadline.check(job)
        task = self._task(job)
        if isinstance(task, Outcome):
            return task
        self._shelf.check(task)
        return self._shelf.handed_on(task) or self._shelf.copied(task) or task

    def foresee(self, job: Job) -> PhotoTask | None:
        """Return the task that `accept` will, if it is one; nothing is written."""
        task = self._task(job)
        return None if isinstance(task, Outcome) or self._shelf.has(task) else task

    def _task(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, unless the photo is done before."""
        policy = self._policy(job.preset)
        settings = settings_of(job, policy, self._people.named() if job.faces == "me" else ())
        if done := self._shelf.done_before(job, settings):
            return done
        signature = signature_of(job.source)
        return PhotoTask(job, policy, sha256_of(job.source), signature, settings)

    def learn(self, batch: Sequence[tuple[PhotoTask, Detections]]) -> list[str]:
        """Learn who is in the photos of a batch, and return what there is to say about it."""
        seen = [
            _sighted(task.job, detections)
            for task, detections in batch
            if all(one.features.keys() <= self._library.means.keys() for one in detections.observed)
        ]
        seen = [one for one in seen if self._people.denied(one) is None]
        merged = self._people.learn(seen, library=self._library.targets, choose=self._choose)
        return [line for one in merged if (line := self._told(one))]

    def _told(self, merged: Merged) -> str | None:
        """Say which photos teach another target than their person now has."""
        photos = self._shelf.showing(merged.gone)
        if not photos or merged.gone.target == merged.kept.target:
            return None
        named = ", ".join(str(one) for one in photos[:NAMED])
        more = f" and {len(photos) - NAMED} more" if len(photos) > NAMED else ""
        return (
            f"{merged.gone.label} turned out to be {merged.kept.label}; what was written of "
            f"{merged.gone.label} teaches another target: {named}{more}. To have these once more, "
            "give the same command, or `photocloak retry` them in a watched folder"
        )

    def assign(self, task: PhotoTask, detections: Detections) -> CloakPlan | Outcome:
        """Say for whom each face shall be taken, or why the photo is held back; see `learn`."""
        job = task.job
        if not detections.faces and job.no_face == "hold":
            reason = f"{job.source}: no face was found; --no-face copy writes such photos as well."
            return _held(task, Status.NO_FACE, reason)
        if detections.out_of_reach:
            reason = f"{job.source}: {out_of_reach(detections)}"
            return _held(task, Status.UNCERTAIN, reason)
        assigned = tuple(self._assigned(job, detections))
        targets = tuple(one.target for one in assigned)
        if assigned and not any(targets) and job.no_face == "hold":
            reason = (
                f"{job.source}: nobody with a name was found in it; --no-face copy writes such "
                "photos as well."
            )
            return _held(task, Status.NOBODY_NAMED, reason, _left_alone(detections))
        people = tuple(one.reference for one in assigned)
        return CloakPlan(
            CloakRequest(task, detections, targets, people, self._library.means), assigned
        )

    def _assigned(self, job: Job, detections: Detections) -> list[Assignment]:
        if not detections.faces:
            return []
        # A worker elsewhere may have other extractors than this machine.
        self._library.require(detections.observed[0].features)
        seen = _sighted(job, detections)
        if who := self._people.denied(seen):
            raise ConfigError(
                f"{job.source}: its face looks like {who.name}, not like {job.hint.name}. If both "
                f"are one person, `photocloak people merge {who.id} WHO` joins them; else leave "
                f"--person out, or say --person {quote(str(who.name))}."
            )
        return self._people.assign(seen, library=self._library.targets, choose=self._choose)

    def publish(self, plan: CloakPlan, cloaked: CloakedFile) -> Outcome:
        """Make a verified file visible, or say why it is held back."""
        task, encoded = plan.order.task, cloaked.encoded
        deadline.check(task.job)
        job, file = task.job, hashlib.sha256(encoded.data).hexdigest()
        done = partial(Outcome, job.source, None, source_sha256=task.file, output_sha256=file)
        if not any(plan.order.targets):
            outcome = done(Status.NO_FACE, "no face was found; written uncloaked")
            if plan.assigned:
                reason = "nobody with a name was found; written uncloaked"
                outcome = done(Status.NOBODY_NAMED, reason, _left_alone(plan.order.detections))
            return self._shelf.put(task, encoded, outcome, ())
        faces = _outcomes(plan, cloaked)
        if weak := too_weak(faces, accept_weak=job.accept_weak):
            return _held(task, Status.TOO_WEAK, f"{job.source}: {weak}", faces)
        remarks = []
        if harder := sorted(set(cloaked.modes) - {job.mode}):
            remarks.append(
                f"a face got the budget of {harder[0]}, since {job.mode} was too weak: look at it "
                "before you publish it"
            )
        notes = "; ".join([*encoded.notes, *remarks]) or None
        people = tuple(
            (one.person.id, one.target.name)
            for one in plan.assigned
            if one.person is not None and one.target is not None
        )
        return self._shelf.put(task, encoded, done(Status.CLOAKED, notes, faces), people)


def chooser(library: TargetLibrary) -> Choose:
    """Return what chooses targets from a library, by all that is known of a person."""

    def choose(faces: Sequence[ObservedFace], photo: str, taken: Collection[str]) -> Target:
        attributes = average([one.attributes for one in faces if one.attributes is not None])
        features = [one.features for one in faces]
        return library.choose(features, attributes, taken=taken, seed=seed_of(photo))

    return choose


def settings_of(job: Job, policy: exporters.Policy, named: Sequence[int]) -> str:
    """Return a hash of how a photo is to be done; `named` are the people who have a name.

    The metadata of another file are part of it by path and content.
    """
    target = None if job.hint.target is None else job.hint.target.name
    metadata = job.metadata_from and (job.metadata_from, sha256_of(job.metadata_from))
    how = (job.mode, policy, job.no_face, job.faces, job.seed, job.hint.name, target, metadata)
    return hashlib.sha256(repr((how, tuple(named))).encode("utf-8", "backslashreplace")).hexdigest()


def _sighted(job: Job, detections: Detections) -> Sighted:
    return Sighted(detections.content, detections.observed, job.hint, only_named=job.faces == "me")


def _held(
    task: PhotoTask, status: Status, reason: str, faces: tuple[FaceOutcome, ...] = ()
) -> Outcome:
    """Return the outcome of a photo that is not published."""
    code = ExitCode.TOO_WEAK if status is Status.TOO_WEAK else ExitCode.NO_FACE
    return Outcome(task.job.source, None, status, reason, faces, code, source_sha256=task.file)


def _outcomes(plan: CloakPlan, cloaked: CloakedFile) -> tuple[FaceOutcome, ...]:
    """Return what became of each face; the evidence is of the cloaked ones alone."""
    given = list(zip(plan.assigned, _left_alone(plan.order.detections), strict=True))
    done = iter(
        FaceOutcome(
            one.box,
            None if who.person is None else who.person.label,
            one.dssim,
            one.similarity,
            worn.mode.name,
            worn.amounts,
            accepting=names,
        )
        for one, worn, names, who in zip(
            cloaked.evidence,
            cloaked.worn,
            cloaked.accepting,
            [who for who, _ in given if who.target is not None],
            strict=True,
        )
    )
    return tuple(alone if who.target is None else next(done) for who, alone in given)


def _left_alone(detections: Detections) -> tuple[FaceOutcome, ...]:
    """Return the faces as they are when nothing is done to them."""
    return tuple(
        FaceOutcome(
            detections.published(whole_box(face, detections.shape)),
            None,
            None,
            {},
            None,
            cloaked=False,
        )
        for face in detections.faces
    )
