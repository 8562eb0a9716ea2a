"""Copies: a photo of the same content as a finished one gets the same bytes."""

import hashlib
import time
from collections.abc import Collection
from pathlib import Path

from photocloak import exporters
from photocloak.core import ExitCode, OutputError
from photocloak.plugin.pipeline.job import Outcome, Status
from photocloak.plugin.storage.folders import output_folder
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.written_files import find_made
from photocloak.plugin.watch.queue import QueuedPhoto, Twin


def unchanged(twin: Twin) -> bytes | None:
    """Return the bytes of a twin's output, if nobody has changed it."""
    try:
        data = twin.output.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == twin.sha256 else None


def copied(
    task: QueuedPhoto,
    twin: Twin,
    data: bytes,
    *,
    folder: Path,
    before: Collection[str],
    outputs: Outputs,
) -> Outcome:
    """Publish what was made, and verified, of another photo of the same content.

    Args:
        task: the photo.
        twin: the finished one.
        data: its output.
        folder: where this one's goes.
        before: hashes of what was made of this photo earlier, which is replaced.
        outputs: the register.

    Returns:
        What came of it; never raises for want of room, permission or a name that is taken.

    """
    started, source = time.monotonic(), task.source
    suffix = exporters.suffix_like(source.name, twin.output.suffix)
    try:
        with output_folder(folder):
            earlier = find_made(folder, source.stem, before, suffix)
            outputs.announce(twin.sha256, source=source, cloaked=twin.status is Status.CLOAKED)
            path = exporters.publish(
                data,
                folder,
                source.stem,
                suffix,
                like=source,
                replace=earlier[0] if earlier else None,
            )
    except OutputError as error:
        return Outcome(source, None, Status.FAILED, str(error), code=ExitCode.OUTPUT)
    took = time.monotonic() - started
    return Outcome(source, path, twin.status, twin.reason, twin.faces, seconds=took)
