"""Before, after and the difference amplified, of one portrait."""

import io
from dataclasses import replace
from pathlib import Path

from photocloak import exporters
from photocloak.core import OutputError
from photocloak.engine.detection.alignment import Image
from photocloak.plugin.pictures import difference
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import Tell
from photocloak.plugin.pipeline.pipeline import Pipeline
from photocloak.plugin.pipeline.process_photo import sha256
from photocloak.plugin.storage.folders import why_not_writable
from photocloak.plugin.storage.outputs import Outputs


def write_demo(
    pipeline: Pipeline,
    portrait: Path,
    folder: Path,
    *,
    outputs: Outputs,
    mode: str,
    private: Path,
    tell: Tell,
) -> tuple[Outcome, list[Path]]:
    """Cloak `portrait` and put before, after and difference into `folder`; return where, too.

    Args:
        pipeline: with stores of its own, so that the portrait does not become one of the people.
        portrait: what to cloak.
        folder: where to.
        outputs: the user's own, so that what is cloaked is known to be.
        mode: how strongly.
        private: a folder for the cloaked file until it is seen to be good.
        tell: see `Pipeline.run_all`.

    """
    if reason := why_not_writable(folder):
        raise OutputError(f"{folder}: the demo cannot be written there: {reason}.")
    (outcome,) = pipeline.run_all([Job(portrait, private, mode, "keep")], tell)
    if outcome.output is None:
        return outcome, []
    before, after = portrait.read_bytes(), outcome.output.read_bytes()
    pixels = [exporters.read_bytes(data, portrait.name).pixels for data in (before, after)]
    suffix = outcome.output.suffix
    outputs.announce(sha256(after), source=portrait, cloaked=True)
    paths = [
        _put(before, folder, "before", portrait.suffix),
        _put(after, folder, "after", suffix),
        _put(_png(difference(*pixels)), folder, "difference", ".png"),
    ]
    return replace(outcome, source=portrait, output=paths[1]), paths


def _put(data: bytes, folder: Path, stem: str, suffix: str) -> Path:
    """Publish, unless an earlier demo left just this."""
    path = folder / (stem + suffix)
    if path.is_file() and path.read_bytes() == data:
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}).") from error
    return exporters.publish(data, folder, stem, suffix, like=None)


def _png(pixels: Image) -> bytes:
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
