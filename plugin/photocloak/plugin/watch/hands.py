"""What is done with the photos in the queue: begun, finished, and, after a death, picked up."""

import contextlib
import time
from collections.abc import Callable, Collection
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Protocol

from photocloak import exporters
from photocloak.core import ExitCode, OutputError, PhotocloakError
from photocloak.plugin.database import Database
from photocloak.plugin.folders import Folders, why_not_writable
from photocloak.plugin.job import Job, Outcome, Status
from photocloak.plugin.outputs import Outputs
from photocloak.plugin.settings import Settings
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.made import find_made, sha256_of, unchanged
from photocloak.plugin.watch.queue import Queue, Task, Twin
from photocloak.plugin.watch.scan import signature_of
from photocloak.plugin.watch.trouble import EVERYBODYS_FAULT, HinderedError, why_no_room

ROOM = 2
"""Photos in hand at once: one is looked at while another is cloaked."""


class Coordinating(Protocol):
    """What is needed of a `Coordinator`."""

    def submit(self, job: Job) -> "Future[Outcome]":
        """Do one photo."""

    def close(self, *, wait: bool) -> None:
        """End; without `wait` what is not finished is given up."""


OpenCoordinator = Callable[[Settings, Folders], Coordinating]


class Hands:
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
        self._working: dict[Future[Outcome], Task] = {}
        self._stale = False
        self._idle_since: float | None = None
        self._careful = False
        self.finished = 0

    @property
    def busy(self) -> bool:
        """Whether a photo is in hand."""
        return bool(self._working)

    def pick_up(self) -> None:
        """Settle what a daemon had in hand when it died.

        Whatever was made visible had been registered as an output of its source before.
        """
        for task in self._queue.in_hand():
            folder = self._output / task.below
            if folder.is_dir():
                exporters.sweep(folder)
            new = self._outputs.of(task.source) - task.before
            made = find_made(folder, task.source.stem, new)
            if made is None:
                self._queue.put_back(task, last=True)
                continue
            path, sha256 = made
            status = Status.CLOAKED if self._outputs.knows(sha256) else Status.NO_FACE
            reason = "finished just before the daemon was stopped; its figures were not kept"
            self._queue.finish(task, Outcome(task.source, path, status, reason), sha256)

    def turn(self, settings: Settings) -> None:
        """Record what is finished, and begin what there is room for.

        Raises:
            HinderedError: the output folder, the models or a database cannot be used.
            OutputError: the journal cannot be written.

        """
        self.collect()
        if self._stale and not self._working:
            self.close()
        while not self._stale and len(self._working) < ROOM and (task := self._queue.next()):
            if any(task.source == one.source for one in self._working.values()):
                break  # the content before is still in hand; what it is made into comes first
            self._idle_since = None
            self._begin(task, settings)
        if self._working or self._idle_since is None:
            self._idle_since = time.monotonic()

    def renew(self) -> None:
        """Load the models anew for the photos to come; those in hand are finished first."""
        self._stale = True

    def rest(self, after: float) -> None:
        """Let go of the models when nothing was to do for so many seconds."""
        if self._coordinator is None or self._working or self._idle_since is None:
            return
        if time.monotonic() - self._idle_since > after:
            self.close()

    def close(self) -> None:
        """Give up what is in hand (`pick_up` settles it) and end the workers."""
        if self._coordinator is not None:
            self._coordinator.close(wait=False)
        self._coordinator, self._stale = None, False
        with contextlib.suppress(OutputError, HinderedError):
            self.collect()
        self._working.clear()

    def _begin(self, task: Task, settings: Settings) -> None:
        signature = signature_of(task.source)
        if signature != task.signature:
            self._queue.drop(task)
            return
        folder = self._output / task.below
        if reason := self._why_not() or (
            self._careful and why_no_room(task.source, self._output, self._folders)
        ):
            raise HinderedError(reason)
        if not folder.resolve().is_relative_to(self._output):
            reason = f"{task.source}: {folder} leads out of the output folder through a link."
            self._finish(task, Outcome(task.source, None, Status.FAILED, reason))
            return
        if self._outputs.knows(task.sha256):
            reason = "photocloak wrote this file itself; it is not done again"
            self._finish(task, Outcome(task.source, None, Status.ALREADY_CLOAKED, reason))
            return
        twin = self._queue.twin(task, settings)
        before = self._outputs.of(task.source)
        if twin is not None and (data := unchanged(twin)) is not None:
            self._queue.begin(task, before, settings)
            self._copy(task, twin, data, before)
            return
        coordinator = self._workers(settings)
        self._queue.begin(task, before, settings)
        job = Job(
            task.source,
            folder,
            settings.mode,
            settings.preset,
            settings.no_face,
            faces=settings.faces,
        )
        future = coordinator.submit(job)
        self._working[future] = task
        future.add_done_callback(lambda _: self._wake())

    def _workers(self, settings: Settings) -> Coordinating:
        """Return the coordinator; its processes and their models are started by the first job."""
        if self._coordinator is None:
            try:
                self._coordinator = self._open(settings, self._folders)
            except PhotocloakError as error:
                raise HinderedError(str(error)) from error
        return self._coordinator

    def _copy(self, task: Task, twin: Twin, data: bytes, before: Collection[str]) -> None:
        """Publish what was made, and verified, of another photo of the same content."""
        started = time.monotonic()
        folder, stem = self._output / task.below, task.source.stem
        try:
            folder.mkdir(parents=True, exist_ok=True)
            earlier = find_made(folder, stem, before)
            cloaked = twin.status is Status.CLOAKED
            self._outputs.announce(twin.sha256, source=task.source, cloaked=cloaked)
            path = exporters.publish(
                data,
                folder,
                stem,
                twin.output.suffix,
                like=task.source,
                replace=earlier[0] if earlier else None,
            )
        except (OSError, OutputError) as error:
            # Nothing but the folder or the database can be at fault.
            self._queue.put_back(task)
            self._careful = True
            raise HinderedError(str(error)) from error
        took = time.monotonic() - started
        self._finish(
            task,
            Outcome(task.source, path, twin.status, twin.reason, twin.faces, seconds=took),
        )

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
                raise HinderedError(trouble)

    def _record(self, task: Task, outcome: Outcome) -> str | None:
        """Record what came of a photo; one that is not to blame goes back, and why is returned."""
        if outcome.source_sha256 not in {None, task.sha256}:
            # It changed before it was read: the row is not for this content. The scan finds it.
            self._queue.drop(task)
            return None
        if outcome.status is Status.FAILED:
            if signature_of(task.source) is None:
                self._queue.drop(task)
                return None
            if outcome.code in EVERYBODYS_FAULT and (trouble := self._trouble(task, outcome)):
                self._queue.put_back(task)
                self._careful = True
                return trouble
        self._finish(task, outcome)
        return None

    def _finish(self, task: Task, outcome: Outcome) -> None:
        made = None if outcome.output is None else sha256_of(outcome.output)
        self._queue.finish(task, outcome, made)
        self.finished += 1
        self._careful = False
        self._tell(outcome)

    def _trouble(self, task: Task, outcome: Outcome) -> str | None:
        """Tell whether a failure would meet any other photo as well."""
        if outcome.code is not ExitCode.OUTPUT:
            return outcome.reason
        return self._why_not() or why_no_room(task.source, self._output, self._folders)

    def _why_not(self) -> str | None:
        """Say why nothing can be put into the output folder."""
        reason = self._lock.why_lost() or why_not_writable(self._output)
        return None if reason is None else f"{self._output}: cannot be used: {reason}."
