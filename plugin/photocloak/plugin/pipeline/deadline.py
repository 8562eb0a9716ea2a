"""Hosts that do not wait: refuse early what cannot be done in time, and publish nothing late.

How fast this machine is shows in the first steps of the cloak itself, so nothing is computed for
the estimate alone.
"""

import time

from photocloak.core import OutputError
from photocloak.plugin.pipeline.job import Job

CALIBRATION = 3
"""Steps after which the pace is believed; the first one warms up and is not counted."""

TAIL = 1.5
"""Encoding and verifying, in units of what reading, detecting and embedding took."""


class TooSlowError(OutputError):
    """The photo cannot be done before the job's deadline."""


def check(job: Job) -> None:
    """Raise TooSlowError when the job's deadline is over."""
    if job.deadline is not None and time.monotonic() >= job.deadline:
        raise TooSlowError(_text(job, "the deadline is over"))


class Countdown:
    """Hears of the optimiser's steps, and raises as soon as the rest cannot be done in time."""

    def __init__(self, job: Job, *, faces: int, looking: float) -> None:
        """`looking`: seconds that it took to read the photo, detect and embed."""
        self._job, self._faces, self._tail = job, faces, TAIL * looking
        self._steps, self._since = 0, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Take note of a step."""
        if self._job.deadline is None:
            return
        now = time.monotonic()
        self._steps += 1
        if self._steps == 1:
            self._since = now
        if self._steps <= CALIBRATION and now < self._job.deadline:
            return
        pace = (now - self._since) / max(self._steps - 1, 1)
        needed = (total - done) * pace + self._tail
        if now + needed > self._job.deadline:
            left = max(self._job.deadline - now, 0.0)
            many = f"{self._faces} face{'s' * (self._faces != 1)}"
            what = f"{many} would take another {needed:.0f} s here, and {left:.0f} s"
            raise TooSlowError(_text(self._job, f"{what} are left"))


def _text(job: Job, what: str) -> str:
    return (
        f"{job.source}: cannot be cloaked in the time that was given: {what}. Nothing was "
        "written; put the photo into a folder that `photocloak watch` looks after, which takes "
        "the time it needs."
    )
