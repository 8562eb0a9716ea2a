"""Where `photocloak cloak` puts what it makes: looked at before a model is loaded for it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import click

from photocloak.core import OutputError


@dataclass(frozen=True)
class Destination:
    """Where results go.

    Attributes:
        folder: made if need be.
        name: what the only output is called; None: as its photo.
        neutral: whether names shall give nothing away.

    """

    folder: Path
    name: str | None = None
    neutral: bool = False

    def of(self, below: PurePath) -> Path:
        """Return where a photo goes that was found in a sub-folder; its name tells something."""
        return self.folder if self.neutral else self.folder / below


def destination(output: Path, inputs: Sequence[Path], *, one_file: bool) -> Destination:
    """Return where results go.

    Args:
        output: a folder; or, for one file, a file by its ending, unless there is such a folder.
        inputs: what is cloaked.
        one_file: whether that is one file.

    Raises:
        UsageError: it is where the photos lie, or a file for more than one.
        OutputError: nothing can be written there.

    """
    from photocloak import exporters
    from photocloak.plugin.storage.folders import why_not_writable

    is_file = exporters.format_like(output.suffix) is not None and not output.is_dir()
    if is_file and not one_file:
        raise click.UsageError(
            f"{output} is the name of one photo; for several, or a folder, name a folder (-o DIR)."
        )
    place = Destination(output.parent, output.name) if is_file else Destination(output)
    _keep_apart(place, output, inputs)
    if reason := why_not_writable(place.folder):
        raise OutputError(f"{output}: cannot be written: {reason}. Nothing was done.")
    return place


def _keep_apart(place: Destination, output: Path, inputs: Sequence[Path]) -> None:
    """Refuse to mix results with the photos: it would not be seen which of them may be published.

    Nor are photos replaced: an original that is gone cannot be had back from a cloaked photo.
    """
    for one in inputs:
        if place.name is not None:
            if os.path.realpath(output) == os.path.realpath(one):
                raise click.UsageError(
                    f"{output} is the photo itself, which is never replaced; choose another name."
                )
        elif os.path.realpath(one if one.is_dir() else one.parent) == os.path.realpath(output):
            better = Path(f"{output.absolute()}-cloaked")
            raise click.UsageError(
                f"{one}: lies in the folder that the results shall go to, and photos are neither "
                "replaced nor mixed with cloaked ones; name another folder, such as "
                f"-o {better}, or for one photo a file."
            )
