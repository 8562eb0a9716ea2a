"""A run that says what would be done, and does nothing: no file, nothing learned.

It is decided by the very same rules, over a copy of the user's database that is gone at the end.
"""

from dataclasses import replace

from photocloak.core import ExitCode, OutputError
from photocloak.plugin.pipeline import reasons
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.face_outcomes import faces_held
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.pipeline.messages import CloakPlan, Detections, PhotoTask
from photocloak.plugin.storage.folders import why_not_writable


class Rehearsal(Decisions):
    """Decides as ever, and ends each photo before its cloak would begin."""

    def accept(self, job: Job) -> PhotoTask | Outcome:
        """Turn a job into a task, or say at once what would come of the photo."""
        if reason := why_not_writable(job.folder):
            raise OutputError(f"{job.source}: cannot be written to {job.folder}: {reason}.")
        task = self._task(job)
        if isinstance(task, Outcome):
            return task
        self._shelf.check(task)
        if self._shelf.has(task):
            return _would(task, Status.WOULD_COPY, "what was cloaked before would be copied")
        return task

    def assign(self, task: PhotoTask, detections: Detections) -> CloakPlan | Outcome:
        """Say what would be done with a photo, or why it would be held back."""
        plan = super().assign(task, detections)
        if isinstance(plan, Outcome):
            return plan
        seen = plan.order.detections
        faces = tuple(
            FaceOutcome(
                seen.published(face),
                None if who.person is None else who.person.label,
                None,
                {},
                None if order is None or order.target is None else order.mode,
                cloaked=order is not None and order.target is not None,
                fallback=None if order is None or order.target else order.fallback,
                found=seen.found(face),
                left=order is None,
            )
            for face, who, order in zip(seen.faces, plan.assigned, plan.order.faces, strict=True)
        )
        faces += tuple(
            replace(one, fallback=how)
            for one, how in zip(faces_held(seen, seen.out_of_reach), plan.order.beyond, strict=True)
        )
        whom = [one.person or "somebody" for one in faces if one.cloaked or one.fallback]
        alone = f"; {words}" if (words := reasons.left(faces)) else ""
        if not whom:
            what = f"would be written uncloaked{alone}"
            return _would(task, Status.WOULD_COPY, what, faces)
        count = "1 face" if len(whom) == 1 else f"{len(whom)} faces"
        done = "made unrecognisable" if not any(one.cloaked for one in faces) else "cloaked"
        what = f"{count} would be {done} ({', '.join(whom)}){alone}"
        return _would(task, Status.WOULD_CLOAK, what, faces)


def _would(
    task: PhotoTask, status: Status, what: str, faces: tuple[FaceOutcome, ...] = ()
) -> Outcome:
    source = task.job.source
    return Outcome(
        source, None, status, f"{source}: {what}", faces, ExitCode.OK, source_sha256=task.file
    )
