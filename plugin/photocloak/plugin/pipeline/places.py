"""Where an output lies, under which name, and in the place of which earlier one."""

import hashlib
import os
from pathlib import Path

from photocloak import exporters
from photocloak.core import OutputError
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.pipeline.messages import PhotoTask
from photocloak.plugin.storage.folders import output_folder
from photocloak.plugin.storage.output_names import (
    BEGIN,
    NeutralNames,
    OutputName,
    check_ending,
    format_of_file,
)
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.results import Results
from photocloak.plugin.storage.written_files import find_made, sha256_of


class Places:
    """Names outputs and writes them; over nobody's file but an earlier output of the same photo."""

    def __init__(self, outputs: Outputs, results: Results, names: NeutralNames) -> None:
        self._outputs, self._results, self._names = outputs, results, names
        self._swept: set[Path] = set()

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

    def name(self, job: Job, sha256: str) -> OutputName:
        """Return what the output of a photo of this content is to be called."""
        if job.name is not None:
            return OutputName(Path(job.name).stem, whole=job.name)
        return self._names.of(sha256) if job.neutral else OutputName(job.source.stem)

    def earlier(self, task: PhotoTask, suffix: str) -> Path | None:
        """Return an output of the same photo and format whose place the new one takes."""
        job = task.job
        if job.name is not None:
            return self._taken(task)
        if job.neutral:  # the same photo under another name, or in another place, has it too
            path = job.folder / f"{self.name(job, str(task.file)).stem}{suffix}"
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

    def put(
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
                dated=task.policy.dated and not name.neutral,
                replace=earlier,
                numbered=name.whole is None,
            )
