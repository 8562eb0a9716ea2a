"""What lies in the output folders: done before, a copy of what is done, ours already, or new.

The one place that decides what is written where, for a run and for the watched folders alike. A
hash is recorded before a file becomes visible.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from photocloak import exporters
from photocloak.core import ConfigError, OutputError
from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.pipeline.messages import PhotoTask
from photocloak.plugin.storage.folders import output_folder
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.results import Result, Results
from photocloak.plugin.storage.written_files import find_made, sha256_of, signature_of


class Shelf:
    """The registers of own outputs and of what became of photos, and the files themselves."""

    def __init__(self, outputs: Outputs, results: Results, corrections: Corrections) -> None:
        self._outputs, self._results, self._corrections = outputs, results, corrections
        self._swept: set[Path] = set()

    def done_before(self, job: Job, settings: str) -> Outcome | None:
        """Tell whether the photo's output is there already, made of this very photo and like this.

        Neither file is read unless it was touched.
        """
        result = None if job.redo else self._results.of(job.source, job.folder)
        if result is None or result.settings != self._key(settings, _content(result)):
            return None
        now = signature_of(job.source)
        if now is None or (now != result.signature and sha256_of(job.source) != result.sha256):
            return None
        return _outcome(result, job, Status.DONE_BEFORE) if result.intact else None

    def has(self, task: PhotoTask) -> bool:
        """Tell whether the photo is an output of ours, or a copy of a photo that is done."""
        if task.file is None:
            return False
        return self._outputs.knows(task.file) or self._copy(task) is not None

    def handed_on(self, task: PhotoTask) -> Outcome | None:
        """Hand on an output of ours as it is; nothing is written where the folder has it."""
        job, file = task.job, task.file
        if file is None or not self._outputs.knows(file):
            return None
        outcome = Outcome(
            job.source,
            None,
            Status.ALREADY_CLOAKED,
            "photocloak wrote this file itself; it is left as it is",
            source_sha256=file,
            output_sha256=file,
        )
        if there := find_made(job.folder, job.source.stem, {file}):
            return replace(outcome, output=there[0])
        for result in self._results.made(file, job.folder):
            if result.intact:
                return replace(outcome, output=job.folder / result.made.name)
        data = exporters.read(job.source).data
        return replace(outcome, output=self._placed(job, data, job.source.suffix, None))

    def copied(self, task: PhotoTask) -> Outcome | None:
        """Publish what was made, and verified, of another photo of the same content."""
        started = time.monotonic()
        if (copy := self._copy(task)) is None:
            return None
        return replace(self._put_copy(task, *copy), seconds=time.monotonic() - started)

    def placed(self, task: PhotoTask, made: str) -> Outcome | None:
        """Publish the file of this hash that was made of the photo, or of one of its content.

        None: it is not there any more, or not what would be made of the photo now.
        """
        if task.file == made:
            return self.handed_on(task)
        there = (one for one in self._copies(task) if one[0].made_sha256 == made)
        copy = next(there, None)
        return None if copy is None else self._put_copy(task, *copy)

    def _put_copy(self, task: PhotoTask, result: Result, data: bytes) -> Outcome:
        suffix = exporters.suffix_like(task.job.source.name, result.made.suffix)
        outcome = _outcome(result, task.job, Status(result.outcome["status"]))
        return self._publish(task, data, suffix, outcome, result.people)

    def _copy(self, task: PhotoTask) -> tuple[Result, bytes] | None:
        """Return what was made of the same content, done like this photo, and its bytes."""
        return None if task.job.redo else next(self._copies(task), None)

    def _copies(self, task: PhotoTask) -> Iterator[tuple[Result, bytes]]:
        for result in [] if task.file is None else self._results.copies(task.file):
            if result.settings != self._key(task.settings, _content(result)):
                continue
            if (data := _bytes_of(result)) is not None:
                yield result, data

    def put(
        self,
        task: PhotoTask,
        encoded: exporters.Encoded,
        outcome: Outcome,
        people: Sequence[tuple[int, str]],
    ) -> Outcome:
        """Make verified bytes visible; over an earlier output of the same photo, else beside.

        Args:
            task: the photo.
            encoded: the bytes.
            outcome: what to say of them, but for where they are.
            people: who is in it, and for whom they are taken: (id, name of the target).

        """
        return self._publish(task, encoded.data, encoded.suffix, outcome, people)

    def _key(self, settings: str, content: str | None) -> str:
        """Return what a result depends on: how photos are to be done, and what was said of this."""
        corrected = self._corrections.digest(content)
        both = f"{settings} {corrected}"
        return hashlib.sha256(both.encode()).hexdigest() if corrected else settings

    def showing(self, person: Person) -> list[Path]:
        """Return the photos that were written of somebody."""
        return self._results.showing([person.id])

    def _publish(
        self,
        task: PhotoTask,
        data: bytes,
        suffix: str,
        outcome: Outcome,
        people: Sequence[tuple[int, str]],
    ) -> Outcome:
        job, file = task.job, hashlib.sha256(data).hexdigest()
        earlier = find_made(job.folder, job.source.stem, self._outputs.of(job.source), suffix)
        self._outputs.announce(file, source=job.source, cloaked=outcome.status is Status.CLOAKED)
        path = self._placed(job, data, suffix, None if earlier is None else earlier[0])
        done = replace(outcome, output=path)
        with suppress(ConfigError, OutputError):  # it is there; unknown, it is made once more
            self._results.put(
                Result(
                    job.folder,
                    job.source,
                    task.signature,
                    str(task.file),
                    self._key(task.settings, outcome.content),
                    tuple(people),
                    path,
                    signature_of(path),
                    file,
                    done.as_json(),
                )
            )
        return done

    def _placed(self, job: Job, data: bytes, suffix: str, earlier: Path | None) -> Path:
        """Write the file, and clear once what a killed process may have left in its folder."""
        with output_folder(job.folder) as folder:
            if folder not in self._swept:
                exporters.sweep(folder)
                self._swept.add(folder)
            return exporters.publish(
                data, folder, job.source.stem, suffix, like=job.source, replace=earlier
            )


def _content(result: Result) -> str | None:
    """Return the hash of the photo's pixels; None where an earlier version made it."""
    content = result.outcome.get("content")
    return None if content is None else str(content)


def _bytes_of(result: Result) -> bytes | None:
    """Return the output, if nobody has changed it."""
    try:
        data = result.made.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == result.made_sha256 else None


def _outcome(result: Result, job: Job, status: Status) -> Outcome:
    """Say of a photo what was said when its output was made."""
    return Outcome(
        job.source,
        job.folder / result.made.name,
        status,
        result.outcome["reason"],
        tuple(map(FaceOutcome.from_json, result.outcome["faces"])),
        source_sha256=result.sha256,
        output_sha256=result.made_sha256,
        content=_content(result),
    )
