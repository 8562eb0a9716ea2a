"""What lies in the output folders: done before, a copy of what is done, ours already, or new.

The one place that decides what is written where, for a run and for the watched folders alike. A
hash is recorded before a file becomes visible.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from photocloak import exporters
from photocloak.core import ConfigError, InputError, OutputError
from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status, how_of
from photocloak.plugin.pipeline.messages import PhotoTask
from photocloak.plugin.storage.folders import output_folder
from photocloak.plugin.storage.output_names import (
    BEGIN,
    NeutralNames,
    OutputName,
    check_ending,
    format_of_file,
    is_neutral,
)
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.results import Result, Results
from photocloak.plugin.storage.written_files import find_made, sha256_of, signature_of


class Shelf:
    """The registers of own outputs and of what became of photos, and the files themselves."""

    def __init__(
        self, outputs: Outputs, results: Results, names: NeutralNames, corrections: Corrections
    ) -> None:
        self._outputs, self._results, self._names = outputs, results, names
        self._corrections = corrections
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
        if not self._name(job, result.sha256).fits(result.made):
            return None
        outcome = _outcome(result, job, Status.DONE_BEFORE)
        return outcome if _suffices(outcome, job) and result.intact else None

    def check(self, task: PhotoTask) -> None:
        """Look whether the file that the user named can be made, before any work is done for it.

        Raises:
            ConfigError: its ending is that of another format than the photo will have.
            OutputError: another file has this name.

        """
        job = task.job
        if job.name is None:
            return
        form = task.policy.format or format_of_file(job.source)
        if form is not None:
            check_ending(job.name, form, job.source)
        self._taken(task)

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
            raise InputError(f"{job.source}: {what}")
        outcome = Outcome(
            job.source,
            None,
            Status.ALREADY_CLOAKED,
            "photocloak wrote this file itself; it is left as it is",
            source_sha256=file,
            output_sha256=file,
            discloses=exporters.kinds_of(exporters.disclosures(data)),
        )
        name = self._name(job, file)
        if job.neutral and is_neutral(job.source):
            name = replace(name, stem=job.source.stem)
        there = find_made(job.folder, name.stem, {file})
        if there is not None and name.fits(there[0]):
            return replace(outcome, output=there[0])
        for result in self._results.made(file, job.folder):
            if result.intact and name.fits(result.made):
                return replace(outcome, output=job.folder / result.made.name)
        return replace(outcome, output=self._placed(task, name, data, job.source.suffix))

    def copied(self, task: PhotoTask) -> Outcome | None:
        """Publish what was made, and verified, of another photo of the same content."""
        job, started = task.job, time.monotonic()
        if (copy := self._copy(task)) is None:
            return None
        result, data = copy
        suffix = exporters.suffix_like(job.source.name, result.made.suffix)
        outcome = _outcome_then(result, job)
        done = self._publish(task, data, suffix, outcome, result.people)
        return replace(done, seconds=time.monotonic() - started)

    def _copy(self, task: PhotoTask) -> tuple[Result, bytes] | None:
        """Return what was made of the same content, done like this photo, and its bytes."""
        if task.file is None or task.job.redo:
            return None
        for result in self._results.copies(task.file):
            if result.settings != self._key(task.settings, _content(result)):
                continue
            if not _suffices(_outcome_then(result, task.job), task.job):
                continue
            if (data := _bytes_of(result.made, result.made_sha256)) is not None:
                return result, data
        return None

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
        name, earlier = self._name(job, str(task.file)), self._earlier(task, suffix)
        self._outputs.announce(file, source=job.source, cloaked=outcome.status is Status.CLOAKED)
        if earlier is None or name.fits(earlier):
            path = self._placed(task, name, data, suffix, earlier)
        else:
            path = self._placed(task, name, data, suffix)
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

    def _name(self, job: Job, sha256: str) -> OutputName:
        """Return what the output of a photo of this content is to be called."""
        if job.name is not None:
            return OutputName(Path(job.name).stem, whole=job.name)
        return self._names.of(sha256) if job.neutral else OutputName(job.source.stem)

    def _earlier(self, task: PhotoTask, suffix: str) -> Path | None:
        """Return an output of the same photo and format whose place the new one takes."""
        job = task.job
        if job.name is not None:
            return self._taken(task)
        if job.neutral:  # the same photo under another name, or in another place, has it too
            path = job.folder / f"{self._name(job, str(task.file)).stem}{suffix}"
            if sha256_of(path) in self._results.made_of(str(task.file)):
                return path
        known = self._results.of(job.source, job.folder, current=False)
        if known is not None and known.intact:
            path = job.folder / known.made.name
            if path.suffix.lower() in exporters.suffixes(suffix):
                return path
        begin = BEGIN if job.neutral else job.source.stem
        found = find_made(job.folder, begin, self._outputs.of(job.source), suffix)
        return None if found is None else found[0]

    def _taken(self, task: PhotoTask) -> Path | None:
        """Return the file that has the name which the user chose, if it was made of this photo.

        Raises:
            OutputError: it was not, so it stays.

        """
        job = task.job
        path = job.folder / str(job.name)
        if not os.path.lexists(path):
            return None
        ours = self._outputs.of(job.source) | self._results.made_of(str(task.file))
        if sha256_of(path) in ours and not path.is_symlink():
            return path
        raise OutputError(
            f"{job.source}: {path} is there already and was not made of this photo; it stays. "
            "Choose another name, or move it away."
        )

    def _placed(
        self,
        task: PhotoTask,
        name: OutputName,
        data: bytes,
        suffix: str,
        earlier: Path | None = None,
    ) -> Path:
        """Write the file, and clear once what a killed process may have left in its folder."""
        job, stem = task.job, name.stem
        if name.whole is not None:
            check_ending(name.whole, exporters.format_like(suffix), job.source)
            suffix = Path(name.whole).suffix
        with output_folder(job.folder) as folder:
            if folder not in self._swept:
                exporters.sweep(folder)
                self._swept.add(folder)
            there = folder / f"{stem}{suffix}"
            if name.neutral and sha256_of(there) == hashlib.sha256(data).hexdigest():
                return there  # of another copy of this photo
            return exporters.publish(
                data,
                folder,
                stem,
                suffix,
                like=job.source,
                replace=earlier,
                numbered=name.whole is None,
            )


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
        content=_content(result),
        discloses=tuple(result.outcome.get("discloses", ())),
    )
