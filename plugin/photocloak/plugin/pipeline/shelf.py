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
from photocloak.core import ConfigError, OutputError, UnreadError
from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status, box_from, how_of
from photocloak.plugin.pipeline.messages import PhotoTask
from photocloak.plugin.pipeline.places import Places
from photocloak.plugin.storage.output_names import NeutralNames, is_neutral
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.results import Result, Results
from photocloak.plugin.storage.written_files import find_made, sha256_of, signature_of


class Shelf:
    """The registers of own outputs and of what became of photos, and the files themselves."""

    def __init__(
        self, outputs: Outputs, results: Results, names: NeutralNames, corrections: Corrections
    ) -> None:
        self._outputs, self._results, self._corrections = outputs, results, corrections
        self._places = Places(outputs, results, names)

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
        if not self._places.name(job, result.sha256).fits(result.made):
            return None
        outcome = _outcome(result, job, Status.DONE_BEFORE)
        return outcome if _suffices(outcome, job) and result.intact else None

    def check(self, task: PhotoTask) -> None:
        """Look whether the file that the user named can be made; see `Places.check`."""
        self._places.check(task)

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
        if (data := _bytes_of(job.source, file)) is None:
            what = "changed while it was read; try again when it is complete."
            raise UnreadError(f"{job.source}: {what}")
        outcome = Outcome(
            job.source,
            None,
            Status.ALREADY_CLOAKED,
            "photocloak wrote this file itself; it is left as it is",
            source_sha256=file,
            output_sha256=file,
            discloses=exporters.kinds_of(exporters.disclosures(data)),
        )
        name = self._places.name(job, file)
        if job.neutral and is_neutral(job.source):
            name = replace(name, stem=job.source.stem)
        there = find_made(job.folder, name.stem, {file})
        if there is not None and name.fits(there[0]):
            return replace(outcome, output=there[0])
        for result in self._results.made(file, job.folder):
            if result.intact and name.fits(result.made):
                return replace(outcome, output=job.folder / result.made.name)
        suffix = job.source.suffix
        earlier = None if job.name is None else self._places.earlier(task, suffix)
        return replace(outcome, output=self._places.put(task, name, data, suffix, earlier))

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
        outcome = _outcome_then(result, task.job)
        return self._publish(task, data, suffix, outcome, result.people)

    def _copy(self, task: PhotoTask) -> tuple[Result, bytes] | None:
        """Return what was made of the same content, done like this photo, and its bytes."""
        return None if task.job.redo else next(self._copies(task), None)

    def _copies(self, task: PhotoTask) -> Iterator[tuple[Result, bytes]]:
        for result in [] if task.file is None else self._results.copies(task.file):
            if result.settings != self._key(task.settings, _content(result)):
                continue
            if not _suffices(_outcome_then(result, task.job), task.job):
                continue
            if (data := _bytes_of(result.made, result.made_sha256)) is not None:
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
        outcome = replace(outcome, discloses=encoded.disclosed)
        return self._publish(task, encoded.data, encoded.suffix, outcome, people)

    def _key(self, settings: str, content: str | None) -> str:
        """Return what a result depends on: how photos are to be done, and what was said of this."""
        corrected = self._corrections.digest(content)
        both = f"{settings} {corrected}"
        return hashlib.sha256(both.encode()).hexdigest() if corrected else settings

    def showing(self, person: Person) -> list[Path]:
        """Return the photos that were written of somebody."""
        return [one.source for one in self._results.showing([person.id])]

    def _publish(
        self,
        task: PhotoTask,
        data: bytes,
        suffix: str,
        outcome: Outcome,
        people: Sequence[tuple[int, str]],
    ) -> Outcome:
        job, file = task.job, hashlib.sha256(data).hexdigest()
        name, earlier = self._places.name(job, str(task.file)), self._places.earlier(task, suffix)
        self._outputs.announce(file, source=job.source, cloaked=outcome.status is Status.CLOAKED)
        if earlier is None or name.fits(earlier):
            path = self._places.put(task, name, data, suffix, earlier)
        else:
            path = self._places.put(task, name, data, suffix)
            with suppress(OSError):  # its name tells what the new one shall not, or is not wanted
                earlier.unlink()
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
                    how_of(job),
                )
            )
        return done


def _content(result: Result) -> str | None:
    """Return the hash of the photo's pixels; None where an earlier version made it."""
    content = result.outcome.get("content")
    return None if content is None else str(content)


def _bytes_of(path: Path, sha256: str) -> bytes | None:
    """Return a file, if nobody has changed it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def _suffices(outcome: Outcome, job: Job) -> bool:
    """Tell whether what was written then may be written now: a weak cloak was asked for then."""
    verdict = outcome.verdict
    return verdict is None or not verdict.holds_back(accept_weak=job.accept_weak)


def _outcome_then(result: Result, job: Job) -> Outcome:
    return _outcome(result, job, Status(result.outcome["status"]))


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
        discloses=tuple(result.outcome.get("discloses", ())),
        content=_content(result),
        not_faces=tuple(map(box_from, result.outcome.get("not_faces", ()))),
    )
