"""What `photocloak cloak` can be told: its options, and the value that they make."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from photocloak.plugin.commands.completing import MODE, names, presets

PATH = click.Path(path_type=Path)

STREAM = Path("-")
"""Stands for standard input as INPUT, and for standard output as the output."""


@dataclass(frozen=True)
class CloakOptions:
    """One command line of `photocloak cloak`; each attribute is the option of its name.

    What is None was not given, so that the settings decide.
    """

    inputs: tuple[Path, ...]
    output: Path
    names: str | None
    exclude: tuple[str, ...]
    dry_run: bool
    mode: str | None
    preset: str | None
    person: str | None
    target_folder: Path | None
    no_face: str | None
    faces: str | None
    accept_weak: bool | None
    only: tuple[str, ...]
    spared: tuple[str, ...]
    fallback: str | None
    not_a_face: bool
    metadata_from: tuple[Path, ...]
    deadline: float | None
    scheduler: str | None
    seed: int | None
    redo: bool
    verbose: bool
    as_json: bool
    progress: Any

    def __post_init__(self) -> None:
        """Raise UsageError for what does not go together."""
        # Comparisons let NaN through.
        if self.deadline is not None and not math.isfinite(self.deadline):
            raise click.UsageError("--deadline is a number of seconds.")
        if self.deadline is not None and self.scheduler is not None:
            raise click.UsageError("--deadline is for this machine; leave out --scheduler.")
        if self.only and self.spared:
            raise click.UsageError("--only and --except: give one of them.")
        each = len(self.metadata_from) == len(self.inputs) and not any(
            map(Path.is_dir, self.inputs)
        )
        if self.metadata_from and not each:
            raise click.UsageError("--metadata-from is given once for each INPUT, which are files.")
        if STREAM in self.inputs and (len(self.inputs) > 1 or self.scheduler is not None):
            raise click.UsageError("- (standard input) is one photo: the only INPUT, done here.")
        if self.output == STREAM and (not self.one_file or self.as_json or self.dry_run):
            raise click.UsageError(
                "-o - (standard output) is for one photo and its bytes alone: one INPUT file, "
                "without --json and --dry-run."
            )

    @property
    def one_file(self) -> bool:
        """Whether INPUT is one file, or standard input."""
        return len(self.inputs) == 1 and not self.inputs[0].is_dir()


_WHAT = [
    click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=PATH),
    click.option(
        "-o",
        "--output",
        metavar="DIR|FILE",
        required=True,
        type=PATH,
        help="Folder for the cloaked photos; sub-folders of an INPUT folder are mirrored in it. Of "
        "one INPUT file also a FILE such as b.jpg, or - for standard output.",
    ),
    MODE,
    click.option(
        "--preset",
        metavar="NAME",
        shell_complete=presets,
        help="What metadata and size the file keeps: keep (default), web, anonymous, bluesky, "
        "facebook, instagram, linkedin, x, or one of your own.",
    ),
]

_WHOM = [
    click.option(
        "--person",
        metavar="NAME",
        shell_complete=names,
        help="Whom the photos show; of several faces, the one that looks like NAME.",
    ),
    click.option(
        "--target-folder",
        metavar="DIR",
        type=PATH,
        help="Photos of whom that person shall be taken for, instead of a target of the library.",
    ),
    click.option(
        "--no-face",
        type=click.Choice(["hold", "copy"]),
        help="Hold back photos without a face (default), or write them as they are.",
    ),
    click.option(
        "--faces",
        type=click.Choice(["everyone", "me"]),
        help="Cloak everyone (default), or only people with a name, and leave the others alone.",
    ),
    click.option(
        "--accept-weak",
        is_flag=True,
        default=None,
        help="Let weak cloaks pass, instead of cloaking such faces harder and holding back what "
        "stays weak.",
    ),
    click.option(
        "--only",
        metavar="NAME",
        multiple=True,
        shell_complete=names,
        help="Cloak nobody but NAME, and leave the others alone; may be repeated.",
    ),
    click.option(
        "--except",
        "spared",
        metavar="NAME",
        multiple=True,
        shell_complete=names,
        help="Cloak everyone but NAME, who is left as they are; may be repeated.",
    ),
    click.option(
        "--fallback",
        type=click.Choice(["hold", "blur", "pixelate", "box"]),
        help="Where a face cannot be cloaked well enough, hold the photo back (default), or make "
        "the face unrecognisable.",
    ),
    click.option(
        "--not-a-face",
        is_flag=True,
        help="There is no face where photocloak is uncertain in these photos: such spots are "
        "neither cloaked nor hold a photo back.",
    ),
]

_HOW = [
    click.option(
        "--metadata-from",
        metavar="FILE",
        multiple=True,
        type=PATH,
        help="Photo whose XMP and IPTC, and those of its sidecar FILE.xmp, INPUT gets; one an "
        "INPUT.",
    ),
    click.option(
        "--deadline",
        metavar="S",
        type=click.FloatRange(min=0, min_open=True),
        help="Give up early what cannot be done in S seconds, and write nothing after them.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Run on the workers of a Dask scheduler, such as tcp://10.0.0.5:8786.",
    ),
    click.option(
        "--seed", metavar="N", type=click.IntRange(0, 2**63 - 1), help="Seed of the noise."
    ),
    click.option("--redo", is_flag=True, help="Make what was done before once more, in its place."),
]

_EVERYDAY = [
    click.option(
        "--names",
        type=click.Choice(["keep", "neutral"]),
        help="Call outputs as their photos (default, but for the preset anonymous), or so that "
        "names give nothing away: all in DIR itself, photo-… for each photo the same.",
    ),
    click.option(
        "--exclude",
        metavar="GLOB",
        multiple=True,
        help="Leave out files and folders of this name, or of this path below INPUT; may be given "
        "several times. * stands for anything.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Look at the photos and say what would be done; write nothing, learn nobody.",
    ),
]

_SHOWN = [
    click.option(
        "-q",
        "--quiet",
        "progress",
        flag_value="none",
        help="Say only what went wrong; the same as --progress none.",
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="List what is passed over in folders, and how well each face is cloaked.",
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON object a photo on stdout."),
    click.option(
        "--progress",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", "plain", "json", "none"]),
        help="How to show progress on stderr.",
    ),
]


def takes_options(command: Callable[[CloakOptions], int]) -> Callable[..., int]:
    """Declare the options on a command, which gets them as one value."""

    @functools.wraps(command)
    def call(**given: Any) -> int:
        return command(CloakOptions(**given))

    for declare in reversed([*_WHAT, *_WHOM, *_HOW, *_EVERYDAY, *_SHOWN]):
        call = declare(call)
    return call
