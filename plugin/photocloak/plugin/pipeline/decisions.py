"""The coordinator's phases of one photo: accept, learn, assign, publish. They need no model.

They alone know people, targets and own outputs. It fails closed: what a worker brings is
published only if it was measured on the very bytes and holds.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache, partial
from shlex import quote

from photocloak import exporters
from photocloak.core import ConfigError, ExitCode, OutputError
from photocloak.core.stages import stage
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.attributes import average
from photocloak.engine.targets.library import Target, TargetLibrary
from photocloak.plugin.people.assignment import Assignment, Choose, ObservedFace, Sighted, UserHint
from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.people.learning import Merged
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline import deadline, reasons
from photocloak.plugin.pipeline.corrected import Corrected, also, corrected, order_of
from photocloak.plugin.pipeline.face_outcomes import faces_done, faces_held, faces_left
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.pipeline.manner import settings_of
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakPlan,
    CloakRequest,
    Detections,
    PhotoTask,
)
from photocloak.plugin.pipeline.process_photo import seed_of
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
        corrections: Corrections,
        *,
        load_policy: Callable[[str], exporters.Policy] = exporters.load_policy,
    ) -> None:
        self._people, self._shelf, self._library = people, shelf, library
        self._corrections = corrections
        self._policy = cache(load_policy)
        self._choose = chooser(library)

    def check(self, job: Job) -> None:
        """Raise PhotocloakError when no photo could be done like this, before a batch is begun."""
        load_mode(job.mode)
        self._policy(job.preset)
        self._people.require()
        self._people.ids([*job.only, *job.spared])
        if job.faces == "me" and job.hint == UserHint():
            self._people.require_named()

    @stage("decide")
    def accept(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, or say at once what comes of the photo.

        It is done before, an output of ours, or a copy of a photo that is done.
        """
        _require_writable(job)
        deadline.check(job)
        task = self._task(job)
        if isinstance(task, Outcome):
            return task
        self._shelf.check(task)
        done = self._shelf.handed_on(task) or self._shelf.copied(task)
        return task if done is None else self._called_now(done)

    def foresee(self, job: Job) -> PhotoTask | None:
        """Return the task that `accept` will, if it is one; nothing is written."""
        task = self._task(job)
        return None if isinstance(task, Outcome) or self._shelf.has(task) else task

    def place(self, job: Job, made: str) -> Outcome | None:
        """Publish the file with this hash, made of the photo before into another folder.

        None, and nothing is written, where it is no longer what would be made of the photo.
        """
        _require_writable(job)
        done = self._task(job)
        if isinstance(done, Outcome) and done.output_sha256 == made:
            return done
        return self._shelf.placed(self._new_task(job), made)

    def _task(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, unless the photo is done before."""
        done = self._shelf.done_before(job, self._settings(job))
        return self._new_task(job) if done is None else self._called_now(done)

    def _called_now(self, outcome: Outcome) -> Outcome:
        """Call people by the names that they have by now, whenever their faces were met."""
        labels = self._people.labels() if outcome.faces else {}
        return replace(outcome, faces=tuple(one.called(labels) for one in outcome.faces))

    def _new_task(self, job: Job) -> PhotoTask:
        signature = signature_of(job.source)
        policy, settings = self._policy(job.preset), self._settings(job)
        return PhotoTask(job, policy, sha256_of(job.source), signature, settings)

    def _settings(self, job: Job) -> str:
        named = self._people.named() if job.faces == "me" else ()
        wished = tuple(tuple(self._people.ids(one)) for one in (job.only, job.spared))
        return settings_of(job, self._policy(job.preset), named, wished)

    @stage("decide")
    def learn(self, batch: Sequence[tuple[PhotoTask, Detections]]) -> list[str]:
        """Learn who is in the photos of a batch, and return what there is to say about it."""
        seen = [
            self._sighted(task.job, self._corrected(task.job, detections))
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

    @stage("decide")
    def assign(self, task: PhotoTask, detections: Detections) -> CloakPlan | Outcome:
        """Say for whom each face shall be taken, or why the photo is held back; see `learn`."""
        job, seen = task.job, self._corrected(task.job, detections)
        detections = seen.detections
        held = partial(_held, task, detections)
        if not detections.count and not seen.left and job.no_face == "hold":
            reason = f"{job.source}: no face was found; --no-face copy writes such photos as well."
            return held(Status.NO_FACE, reason)
        beyond = [one.fallback or job.fallback for one in seen.beyond]
        if None in beyond:
            faces = faces_held(detections, (*detections.faces, *detections.out_of_reach))
            reason = f"{job.source}: {reasons.out_of_reach(detections)}"
            return held(Status.UNCERTAIN, reason, faces)
        assigned, spared = self._assigned(job, seen), self._people.ids(job.spared)
        words = [also(spared, *one) for one in zip(assigned, seen.said, strict=True)]
        orders = tuple(order_of(job, *one) for one in zip(assigned, words, strict=True))
        asked = bool(seen.left) or any(one.leave for one in words)
        touched = any(orders) or bool(beyond)
        hidden = tuple(one for one in beyond if one is not None)
        order = CloakRequest(task, detections, orders, self._library.means, hidden)
        plan = CloakPlan(order, tuple(assigned), seen.left, asked=asked, none=seen.dismissed)
        if assigned and not touched and not asked and job.no_face == "hold":
            reason = (
                f"{job.source}: {reasons.nobody(job)}; --no-face copy writes such photos as well."
            )
            return held(Status.NOBODY_NAMED, reason, faces_left(plan))
        return plan

    def _corrected(self, job: Job, detections: Detections) -> Corrected:
        said = self._corrections.of(detections.content)
        return corrected(detections, said, no_faces=job.not_a_face)

    def _sighted(self, job: Job, seen: Corrected) -> Sighted:
        only = frozenset(self._people.ids(job.only)) if job.only else None
        return seen.sighted(job, only)

    def _assigned(self, job: Job, seen: Corrected) -> list[Assignment]:
        if not seen.detections.faces:
            return []
        # A worker elsewhere may have other extractors than this machine.
        self._library.require(seen.detections.observed[0].features)
        sighted = self._sighted(job, seen)
        if who := self._people.denied(sighted):
            raise ConfigError(
                f"{job.source}: its face looks like {who.name}, not like {job.hint.name}. If both "
                f"are one person, `photocloak people merge {who.id} WHO` joins them; else leave "
                f"--person out, or say --person {quote(str(who.name))}."
            )
        return self._people.assign(sighted, library=self._library.targets, choose=self._choose)

    @stage("write")
    def publish(self, plan: CloakPlan, cloaked: CloakedFile) -> Outcome:
        """Make a verified file visible, or say why it is held back."""
        task, encoded = plan.order.task, cloaked.encoded
        deadline.check(task.job)
        job, file = task.job, hashlib.sha256(encoded.data).hexdigest()
        detections = plan.order.detections
        done = partial(
            Outcome,
            job.source,
            None,
            source_sha256=task.file,
            output_sha256=file,
            content=detections.content,
            not_faces=tuple(map(detections.published, plan.none)),
        )
        if not plan.order.touched:
            return self._shelf.put(task, encoded, self._called_now(done(*_untouched(plan))), ())
        labels = self._people.labels()
        faces = tuple(one.called(labels) for one in faces_done(plan, cloaked))
        if why := reasons.known(faces) or reasons.too_weak(faces, accept_weak=job.accept_weak):
            return _held(task, detections, Status.TOO_WEAK, f"{job.source}: {why}", faces)
        remarks, orders = [], plan.order.faces
        asked = [one.mode for one in map(orders.__getitem__, cloaked.cloaked) if one is not None]
        pairs = zip(cloaked.modes, asked, strict=True)
        if harder := sorted((new, old) for new, old in pairs if new != old):
            new, old = harder[0]
            remarks.append(
                f"a face got the budget of {new}, since {old} was too weak: look at it before you "
                "publish it"
            )
        if cloaked.obscured:
            remarks.append(reasons.obscured(one.how for one in cloaked.obscured.values()))
        notes = "; ".join([*encoded.notes, *remarks]) or None
        people = tuple(
            (one.person.id, one.target.name)
            for one in plan.assigned
            if one.person is not None and one.target is not None
        )
        return self._shelf.put(task, encoded, done(Status.CLOAKED, notes, faces), people)


def _require_writable(job: Job) -> None:
    if reason := why_not_writable(job.folder):
        raise OutputError(f"{job.source}: cannot be written to {job.folder}: {reason}.")


def chooser(library: TargetLibrary) -> Choose:
    """Return what chooses targets from a library, by all that is known of a person."""

    def choose(faces: Sequence[ObservedFace], photo: str, taken: Collection[str]) -> Target:
        attributes = average([one.attributes for one in faces if one.attributes is not None])
        features = [one.features for one in faces]
        return library.choose(features, attributes, taken=taken, seed=seed_of(photo))

    return choose


def _untouched(plan: CloakPlan) -> tuple[Status, str, tuple[FaceOutcome, ...]]:
    """Say of a photo that is written as it is why that is so."""
    faces = faces_left(plan)
    if not faces:
        return Status.NO_FACE, "no face was found; written uncloaked", ()
    if plan.asked:
        return Status.LEFT_ALONE, "all faces in it are left as they are, as you asked", faces
    reason = f"{reasons.nobody(plan.order.task.job)}; written uncloaked"
    return Status.NOBODY_NAMED, reason, faces


def _held(
    task: PhotoTask,
    detections: Detections,
    status: Status,
    reason: str,
    faces: tuple[FaceOutcome, ...] = (),
) -> Outcome:
    """Return the outcome of a photo that is not published."""
    code = ExitCode.TOO_WEAK if status is Status.TOO_WEAK else ExitCode.NO_FACE
    return Outcome(
        task.job.source,
        None,
        status,
        reason,
        faces,
        code,
        source_sha256=task.file,
        content=detections.content,
    )
