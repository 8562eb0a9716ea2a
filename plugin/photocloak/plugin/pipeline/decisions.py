"""The coordinator's phases of one photo: accept, learn, assign, publish. They need no model.

The clerk alone knows people, targets and own outputs. It fails closed: what a worker brings is
published only if it was measured on the very bytes and holds.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, partial
from itertools import compress

from photocloak import exporters
from photocloak.core import ExitCode, OutputError
from photocloak.engine.modes import load_mode, load_modes
from photocloak.engine.recognition.attributes import average
from photocloak.engine.targets.library import Target, TargetLibrary
from photocloak.plugin.people.assignment import Assignment, Choose, ObservedFace, UserHint
from photocloak.plugin.people.corrections import Correction, Corrections
from photocloak.plugin.people.learning import Merged
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline import deadline
from photocloak.plugin.pipeline.corrected import Corrected, corrected
from photocloak.plugin.pipeline.face_outcomes import faces_done, faces_left
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakPlan,
    CloakRequest,
    Detections,
    FaceOrder,
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
        """Raise ConfigError when no photo could be done like this, before a batch is begun."""
        load_mode(job.mode)
        self._policy(job.preset)
        if job.faces == "me" and job.hint == UserHint():
            self._people.require_named()

    def accept(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, or say at once what comes of the photo.

        It is done before, an output of ours, or a copy of a photo that is done.
        """
        _require_writable(job)
        deadline.check(job)
        task = self._task(job)
        if isinstance(task, Outcome):
            return task
        return self._shelf.handed_on(task) or self._shelf.copied(task) or task

    def foresee(self, job: Job) -> PhotoTask | None:
        """Return the task that `accept` will, if it is one; nothing is written."""
        task = self._task(job)
        return None if isinstance(task, Outcome) or self._shelf.has(task) else task

    def place(self, job: Job, made: str) -> Outcome | None:
        """Publish what was made of a photo before, into another folder, and was looked at since.

        Args:
            job: as it was made, but for the folder.
            made: hash of the file.

        Returns:
            What came of it; None, and nothing was written, where the file is no longer what would
            be made of the photo.

        Raises:
            OutputError: it cannot be written.

        """
        _require_writable(job)
        done = self._task(job)
        if isinstance(done, Outcome) and done.output_sha256 == made:
            return done
        return self._shelf.placed(self._new_task(job), made)

    def _task(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, unless the photo is done before."""
        return self._shelf.done_before(job, self._settings(job)) or self._new_task(job)

    def _new_task(self, job: Job) -> PhotoTask:
        signature = signature_of(job.source)
        policy, settings = self._policy(job.preset), self._settings(job)
        return PhotoTask(job, policy, sha256_of(job.source), signature, settings)

    def _settings(self, job: Job) -> str:
        named = self._people.named() if job.faces == "me" else ()
        return settings_of(job, self._policy(job.preset), named)

    def learn(self, batch: Sequence[tuple[PhotoTask, Detections]]) -> list[str]:
        """Learn who is in the photos of a batch, and return what there is to say about it."""
        seen = [
            self._corrected(detections).sighted(task.job)
            for task, detections in batch
            if all(one.features.keys() <= self._library.means.keys() for one in detections.observed)
        ]
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
        job, seen = task.job, self._corrected(detections)
        detections = seen.detections
        held = partial(_held, task, detections)
        if not detections.count and not seen.left and job.no_face == "hold":
            reason = f"{job.source}: no face was found; --no-face copy writes such photos as well."
            return held(Status.NO_FACE, reason)
        if detections.out_of_reach:
            return held(Status.UNCERTAIN, f"{job.source}: {_out_of_reach(detections)}")
        assigned = self._assigned(job, seen)
        orders = tuple(
            _order(job, who, words) for who, words in zip(assigned, seen.said, strict=True)
        )
        asked = bool(seen.left) or any(one.leave for one in seen.said)
        if assigned and not any(orders) and not asked and job.no_face == "hold":
            reason = (
                f"{job.source}: nobody with a name was found in it; --no-face copy writes such "
                "photos as well."
            )
            return held(Status.NOBODY_NAMED, reason, faces_left(detections, detections.faces))
        order = CloakRequest(task, detections, orders, self._library.means)
        return CloakPlan(order, tuple(assigned), seen.left, asked=asked)

    def _corrected(self, detections: Detections) -> Corrected:
        return corrected(detections, self._corrections.of(detections.content))

    def _assigned(self, job: Job, seen: Corrected) -> list[Assignment]:
        if not seen.detections.faces:
            return []
        # A worker elsewhere may have other extractors than this machine.
        self._library.require(seen.detections.observed[0].features)
        return self._people.assign(
            seen.sighted(job), library=self._library.targets, choose=self._choose
        )

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
        )
        if not plan.order.touched:
            return self._shelf.put(task, encoded, done(*_untouched(plan)), ())
        faces = faces_done(plan, cloaked)
        weak = cloaked.weak(load_mode(one.mode) for one in plan.order.touched)
        if any(weak):
            still = _names(compress(cloaked.accepting, weak))
            reason = (
                f"{job.source}: held back, since {still} would still recognise a face in it; "
                f"{_remedy(cloaked)}"
            )
            return _held(task, detections, Status.TOO_WEAK, reason, faces)
        accepting = _names(cloaked.accepting)
        remarks = [f"{accepting} may still recognise a face in it"] if accepting else []
        asked = [one.mode for one in plan.order.touched]
        if harder := sorted((new, old) for new, old in zip(cloaked.modes, asked, strict=True)
                            if new != old):  # fmt: skip
            new, old = harder[0]
            remarks.append(
                f"a face got the budget of {new}, since {old} was too weak: look at it before you "
                "publish it"
            )
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


def settings_of(job: Job, policy: exporters.Policy, named: Sequence[int]) -> str:
    """Return a hash of how a photo is to be done; `named` are the people who have a name.

    The metadata of another file are part of it by path and content.
    """
    target = None if job.hint.target is None else job.hint.target.name
    metadata = job.metadata_from and (job.metadata_from, sha256_of(job.metadata_from))
    how = (job.mode, policy, job.no_face, job.faces, job.seed, job.hint.name, target, metadata)
    return hashlib.sha256(repr((how, tuple(named))).encode("utf-8", "backslashreplace")).hexdigest()


def _order(job: Job, who: Assignment, words: Correction) -> FaceOrder | None:
    """Say what is to be done with a face; None: it is left alone."""
    target = who.target if who.instead is None else who.instead
    if target is None or words.leave:
        return None
    return FaceOrder(target, who.reference, words.mode or job.mode)


def _untouched(plan: CloakPlan) -> tuple[Status, str, tuple[FaceOutcome, ...]]:
    """Say of a photo that is written as it is why that is so."""
    detections = plan.order.detections
    faces = faces_left(detections, (*detections.faces, *plan.left))
    if not faces:
        return Status.NO_FACE, "no face was found; written uncloaked", ()
    if plan.asked:
        return Status.LEFT_ALONE, "all faces in it are left as they are, as you asked", faces
    return Status.NOBODY_NAMED, "nobody with a name was found; written uncloaked", faces


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


def _out_of_reach(detections: Detections) -> str:
    """Say which faces cannot be aligned, so not cloaked: a missed face is one published."""
    missed = detections.out_of_reach
    x, y, w, h = detections.published(missed[0])
    more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
    return (
        f"held back, since what may be a face at {x}, {y} ({w} × {h} pixels){more} "
        "cannot be cloaked; crop or cover it."
    )


def _remedy(cloaked: CloakedFile) -> str:
    """Say what else there is to do about a face that is too weak."""
    strongest = {one.then for one in load_modes().values() if one.then} - {
        name for name, one in load_modes().items() if one.then
    }
    if strongest.intersection(cloaked.modes):
        return "crop or cover it, or leave the photo out."
    return "a stronger --mode has a larger budget."


def _names(accepting: Iterable[Iterable[str]]) -> str:
    """Return the extractors that still accept a face, joined; empty: none does."""
    return ", ".join(sorted({name for names in accepting for name in names}))
