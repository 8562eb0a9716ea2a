"""What is done with the photos in the queue: begun, finished, and, after a death, picked up."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Protocol

from photocloak import exporters
from photocloak.core import ExitCode, OutputError, PhotocloakError
from photocloak.plugin.pipeline.job import Job, Outcome, Status
from photocloak.plugin.pipeline.messages import Event, Tell
from photocloak.plugin.progress import clean, say
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.folders import Folders, why_not_writable
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.written_files import find_made, sha256_of, signature_of
from photocloak.plugin.watch.blockers import (
    EVERYBODYS_FAULT,
    BlockedError,
    why_all_wait,
    why_one_waits,
)
from photocloak.plugin.watch.jobs import as_asked, job_of
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.queue import Queue, QueuedPhoto

TOGETHER = 1000
"""Photos that are looked at together, before the first of them is cloaked."""


class Coordinating(Protocol):
    """What is needed of a `Coordinator`."""

    def submit(self, job: Job, tell: Tell) -> "Future[Outcome]":
        """Do one photo."""

    def meet(self, jobs: Sequence[Job], tell: Tell) -> "Future[None]":
        """Look at photos that will be submitted, and learn who is in them."""

    def close(self, *, wait: bool) -> None:
        """End; without `wait` what is not finished is given up."""


OpenCoordinator = Callable[[Settings, Folders], Coordinating]


class Runner:
    """Does the photos of one output folder."""

    def __init__(
        self,
        output: Path,
        folders: Folders,
        queue: Queue,
        lock: OutputLock,
        *,
        open_coordinator: OpenCoordinator,
        tell: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        """`tell` hears of every outcome; `wake` is called, in any thread, when one is there."""
        self._output, self._folders, self._queue, self._lock = output, folders, queue, lock
        self._outputs = Outputs(Database(folders.database))
        self._open, self._tell, self._wake = open_coordinator, tell, wake
        self._coordinator: Coordinating | None = None
        self._working: dict[Future[Outcome], QueuedPhoto] = {}
        self._meeting: Future[None] | None = None
        self._met: set[tuple[int, str]] = set()
        self._stale = False
        self._idle_since: float | None = None
        self._careful = False
        self._stumbled: dict[Path, int] = {}
        self._made = 0
        self.finished = 0

    @property
    def in_hand(self) -> bool:
        """Whether a photo is being cloaked."""
        return bool(self._working)

    @property
    def busy(self) -> bool:
        """Whether a photo is in hand, or several are looked at."""
        return bool(self._working) or self._meeting is not None

    def pick_up(self) -> None:
        """Settle what a daemon had in hand when it died.

        Whatever was made visible had been registered as an output of its source before.
        """
        for task in self._queue.in_hand():
            folder = self._output / task.below
            exporters.sweep(folder)
            new = self._outputs.of(task.source) - task.before
            made = find_made(folder, task.source.stem, new)
            if made is None:
                self._queue.put_back(task, last=True)
                continue
            path, sha256 = made
            status = Status.CLOAKED if self._outputs.knows(sha256) else Status.NO_FACE
            reason = "finished just before the daemon was stopped; its figures were not kept"
            outcome = Outcome(task.source, path, status, reason, discloses=_told_by(path))
            self._queue.finish(task, outcome, sha256)
        self._queue.wake(None)

    def turn(self, settings: Settings) -> None:
        """Record what is finished, and begin what there is room for.

        Raises:
            BlockedError: the output folder, the models or a database cannot be used.
            OutputError: the journal cannot be written.

        """
        self.collect()
        if self._stale and not self.busy:
            self.close()
        if self._meeting is not None and self._meeting.done():
            self._meeting = None
        while not (self._stale or self.busy) and (task := self._queue.next()):
            self._idle_since = None
            if (task.row, task.sha256) in self._met or not self._meet(settings):
                self._try(task, settings)
        if self.busy or self._idle_since is None:
            self._idle_since = time.monotonic()

    def renew(self) -> None:
        """Load the models anew for the photos to come; those in hand are finished first."""
        self._stale = True

    def rest(self, after: float) -> None:
        """Let go of the models when nothing was to do for so many seconds."""
        if self._coordinator is None or self.busy or self._idle_since is None:
            return
        if time.monotonic() - self._idle_since > after:
            self.close()

    def close(self) -> None:
        """Give up what is in hand (`pick_up` settles it) and end the workers."""
        if self._coordinator is not None:
            self._coordinator.close(wait=False)
        self._coordinator, self._stale, self._meeting = None, False, None
        self._met = set()
        with contextlib.suppress(OutputError, BlockedError):
            self.collect()
        self._working.clear()

    def _try(self, task: QueuedPhoto, settings: Settings) -> None:
        """Begin a photo; what nobody thought of is its own failure, and no reason to end."""
        try:
            self._begin(task, settings)
        except PhotocloakError:
            raise
        except Exception as error:
            what = f"unexpected {type(error).__name__}: {error}"
            self._finish(task, Outcome(task.source, None, Status.FAILED, f"{task.source}: {what}"))

    def _meet(self, settings: Settings) -> bool:
        """Have all photos that lie there looked at, where there are several.

        Those that were tried before are not: they may have to wait, or were in hand at a death.
        """
        pending = self._queue.pending(TOGETHER)
        self._met = {(one.row, one.sha256) for one in pending}
        tasks = [one for one in pending if not one.tries]
        if len(tasks) < 2:
            return False
        jobs = [job_of(one, self._output, settings) for one in tasks]
        self._meeting = self._workers(settings).meet(jobs, _say_remark)
        self._meeting.add_done_callback(lambda _: self._wake())
        return True

    def _begin(self, task: QueuedPhoto, settings: Settings) -> None:
        """Begin a photo, unless it has gone, must wait, or is done at once."""
        if signature_of(task.source) != task.signature:
            self._queue.drop(task)
            return
        if reason := self._why_not() or (
            self._careful and why_all_wait(self._output, self._folders)
        ):
            raise BlockedError(reason)
        folder = self._output / task.below
        if not Path(os.path.realpath(folder)).is_relative_to(self._output):
            reason = f"{task.source}: {folder} leads out of the output folder through a link."
            self._finish(task, Outcome(task.source, None, Status.FAILED, reason))
            return
        if (self._careful or task.tries) and (reason := why_one_waits(task.source, folder)):
            self._wait(task, reason)
            return
        coordinator = self._workers(settings)
        self._queue.begin(task, self._outputs.of(task.source), as_asked(task, settings))
        future = coordinator.submit(job_of(task, self._output, settings), _say_remark)
        self._working[future] = task
        future.add_done_callback(lambda _: self._wake())

    def _workers(self, settings: Settings) -> Coordinating:
        """Return the coordinator; its processes and their models are started by the first job."""
        if self._coordinator is None:
            try:
                self._coordinator = self._open(settings, self._folders)
            except PhotocloakError as error:
                raise BlockedError(str(error)) from error
        return self._coordinator

    def collect(self) -> None:
        """Record what is finished; see `turn`."""
        for future in [one for one in self._working if one.done()]:
            task = self._working[future]
            try:
                outcome = future.result()
            except CancelledError:
                self._queue.put_back(task)
                del self._working[future]
                continue
            trouble = self._record(task, outcome)
            del self._working[future]
            if trouble:
                raise BlockedError(trouble)

    def _record(self, task: QueuedPhoto, outcome: Outcome) -> str | None:
        """Record what came of a photo.

        One that is not to blame waits: by itself, or, where the reason is returned, with all.
        """
        changed = outcome.source_sha256 not in {None, task.sha256}
        if changed or outcome.unread:
            # The row is not for this content, or nothing is known of it. The scan finds what there
            # is, or why it cannot be read.
            self._queue.drop(task)
            return None
        if outcome.status is Status.FAILED:
            if trouble := self._everybodys(task, outcome):
                # Another one is tried next: should that be made, it was not everybody's.
                self._queue.put_back(task, last=outcome.code is not ExitCode.OUTPUT)
                self._careful = True
                return trouble
            folder = self._output / task.below
            if outcome.code is ExitCode.OUTPUT and (reason := why_one_waits(task.source, folder)):
                self._wait(task, reason)
                return None
        self._finish(task, outcome)
        return None

    def _finish(self, task: QueuedPhoto, outcome: Outcome) -> None:
        made = None if outcome.output is None else sha256_of(outcome.output)
        self._queue.finish(task, outcome, made)
        self._stumbled.pop(task.source, None)
        self.finished += 1
        if outcome.output is not None:
            self._made += 1
            self._careful = False
        self._tell(outcome)

    def _wait(self, task: QueuedPhoto, reason: str) -> None:
        """Let a photo wait by itself; a scan puts it back into the queue."""
        self._queue.wait(task, reason)
        self._careful = True
        if reason != task.reason:
            say(f"waiting: {clean(reason)}")

    def _everybodys(self, task: QueuedPhoto, outcome: Outcome) -> str | None:
        """Tell what about a failure would meet any other photo as well."""
        if outcome.code is ExitCode.OUTPUT:
            return self._why_not() or why_all_wait(self._output, self._folders)
        if outcome.code not in EVERYBODYS_FAULT:
            return None
        if outcome.code is ExitCode.CONFIG and task.asked:
            # A person who the face is not, a preset that has gone: asked for this photo alone.
            return why_all_wait(self._output, self._folders)
        made = self._stumbled.setdefault(task.source, self._made)
        return outcome.reason if made == self._made else None

    def _why_not(self) -> str | None:
        """Say why nothing can be put into the output folder."""
        reason = self._lock.why_lost() or why_not_writable(self._output)
        return None if reason is None else f"{self._output}: cannot be used: {reason}."


def _told_by(path: Path) -> tuple[str, ...]:
    """Return what the metadata of a file tell; see `Outcome.discloses`."""
    return exporters.kinds_of(exporters.disclosures(path.read_bytes()))


def _say_remark(event: Event) -> None:
    if event.what == "remark":
        say(clean(event.text))
