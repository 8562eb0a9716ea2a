"""The coordinator's phases of one photo: accept, assign, publish. They need no model.

The clerk alone knows people, targets and own outputs. It fails closed: what a worker brings is
published only if it was measured on the very bytes and holds.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, partial
from itertools import compress
from pathlib import Path

from photocloak import exporters
from photocloak.core import ExitCode, OutputError
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target, TargetLibrary
from photocloak.engine.verify import whole_box
from photocloak.plugin.people.assignment import Assignment, UserHint
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
from photocloak.plugin.storage.folders import output_folder, why_not_writable
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.written_files import find_made, sha256_of


class Decisions:
    """Keeps the user's stores; decides before a worker begins, between its phases, and after."""

    def __init__(
        self,
        people: People,
        outputs: Outputs,
        library: TargetLibrary,
        *,
        load_policy: Callable[[str], exporters.Policy] = exporters.load_policy,
    ) -> None:
        self._people, self._outputs, self._library = people, outputs, library
        self._policy = cache(load_policy)
        self._swept: set[Path] = set()

    def check(self, job: Job) -> None:
        """Raise ConfigError when no photo could be done like this, before a batch is begun."""
        load_mode(job.mode)
        self._policy(job.preset)
        if job.faces == "me" and job.hint == UserHint():
            self._people.require_named()

    def accept(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, or hand on an output of ours as it is."""
        if reason := why_not_writable(job.folder):
            raise OutputError(f"{job.source}: cannot be written to {job.folder}: {reason}.")
        deadline.check(job)
        file = sha256_of(job.source)
        if file is not None and self._outputs.knows(file):
            return self._unchanged(job, file)
        return PhotoTask(job, self._policy(job.preset), file)

    def assign(self, task: PhotoTask, detections: Detections) -> CloakPlan | Outcome:
        """Say for whom each face shall be taken, or why the photo is held back."""
        job = task.job
        if not detections.faces and job.no_face == "hold":
            reason = f"{job.source}: no face was found; --no-face copy writes such photos as well."
            return _held(task, Status.NO_FACE, reason)
        if detections.out_of_reach:
            reason = f"{job.source}: {_out_of_reach(detections)}"
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

        def choose(index: int, photos: Sequence[Embeddings], taken: Collection[str]) -> Target:
            attributes, seed = detections.observed[index].attributes, seed_of(detections.content)
            return self._library.choose(photos, attributes, taken=taken, seed=seed)

        return self._people.assign(
            detections.content,
            detections.observed,
            library=self._library.targets,
            choose=choose,
            hint=job.hint,
            only_named=job.faces == "me",
        )

    def publish(self, plan: CloakPlan, cloaked: CloakedFile) -> Outcome:
        """Make a verified file visible, or say why it is held back."""
        task, encoded = plan.order.task, cloaked.encoded
        deadline.check(task.job)
        job, file = task.job, hashlib.sha256(encoded.data).hexdigest()
        done = partial(Outcome, job.source, source_sha256=task.file, output_sha256=file)
        if not any(plan.order.targets):
            output = self._publish(job, encoded, file, cloaked=False)
            if plan.assigned:
                reason = "nobody with a name was found; written uncloaked"
                return done(output, Status.NOBODY_NAMED, reason, _left_alone(plan.order.detections))
            return done(output, Status.NO_FACE, "no face was found; written uncloaked")
        faces = _outcomes(plan, cloaked)
        weak = cloaked.weak(load_mode(job.mode))
        if any(weak):
            still = _names(compress(cloaked.accepting, weak))
            reason = (
                f"{job.source}: held back, since {still} would still recognise a face in it; "
                f"{_remedy(cloaked)}"
            )
            return _held(task, Status.TOO_WEAK, reason, faces)
        output = self._publish(job, encoded, file, cloaked=True)
        accepting = _names(cloaked.accepting)
        remarks = [f"{accepting} may still recognise a face in it"] if accepting else []
        if harder := sorted(set(cloaked.modes) - {job.mode}):
            remarks.append(
                f"a face got the budget of {harder[0]}, since {job.mode} was too weak: look at it "
                "before you publish it"
            )
        notes = "; ".join([*encoded.notes, *remarks]) or None
        return done(output, Status.CLOAKED, notes, faces)

    def _unchanged(self, job: Job, file: str) -> Outcome:
        """Hand on an output of ours as it is."""
        reason = "photocloak wrote this file itself; it is left as it is"
        there = job.folder / job.source.name
        if sha256_of(there) != file:
            data = exporters.read(job.source).data
            there = self._placed(job, data, job.source.suffix, replace=None)
        return Outcome(
            job.source,
            there,
            Status.ALREADY_CLOAKED,
            reason,
            source_sha256=file,
            output_sha256=file,
        )

    def _publish(self, job: Job, encoded: exporters.Encoded, file: str, *, cloaked: bool) -> Path:
        """Make verified bytes visible; over an earlier output of the same photo, else beside."""
        made = self._outputs.of(job.source)
        earlier = find_made(job.folder, job.source.stem, made, encoded.suffix)
        self._outputs.announce(file, source=job.source, cloaked=cloaked)
        replace = None if earlier is None else earlier[0]
        return self._placed(job, encoded.data, encoded.suffix, replace=replace)

    def _placed(self, job: Job, data: bytes, suffix: str, *, replace: Path | None) -> Path:
        """Write the file, and clear once what a killed process may have left in its folder."""
        with output_folder(job.folder) as folder:
            if folder not in self._swept:
                exporters.sweep(folder)
                self._swept.add(folder)
            return exporters.publish(
                data, folder, job.source.stem, suffix, like=job.source, replace=replace
            )


def _held(
    task: PhotoTask, status: Status, reason: str, faces: tuple[FaceOutcome, ...] = ()
) -> Outcome:
    """Return the outcome of a photo that is not published."""
    code = ExitCode.TOO_WEAK if status is Status.TOO_WEAK else ExitCode.NO_FACE
    return Outcome(task.job.source, None, status, reason, faces, code, source_sha256=task.file)


def _out_of_reach(detections: Detections) -> str:
    """Say which faces cannot be aligned, so not cloaked: a missed face is one published."""
    missed = detections.out_of_reach
    x, y, w, h = missed[0].box
    x, y, w, h = detections.published((round(x), round(y), round(w), round(h)))
    more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
    return (
        f"held back, since what may be a face at {x}, {y} ({w} × {h} pixels){more} "
        "cannot be cloaked; crop or cover it."
    )


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
        )
        for one, worn, who in zip(
            cloaked.evidence,
            cloaked.worn,
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


def _remedy(cloaked: CloakedFile) -> str:
    """Say what else there is to do about a face that is too weak."""
    if "strong" in cloaked.modes:
        return "crop or cover it, or leave the photo out."
    return "a stronger --mode has a larger budget."


def _names(accepting: Iterable[Iterable[str]]) -> str:
    """Return the extractors that still accept a face, joined; empty: none does."""
    return ", ".join(sorted({name for names in accepting for name in names}))
