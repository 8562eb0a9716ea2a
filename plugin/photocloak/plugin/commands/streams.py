"""Standard input as a photo, and standard output for the one that is made of it.

What is piped in has no place on the disk: a kill at any moment leaves no clean photo behind.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from photocloak.plugin.commands.cloak_options import STREAM, CloakOptions

if TYPE_CHECKING:
    from photocloak.plugin.pipeline.job import Outcome
    from photocloak.plugin.pipeline.messages import Event


@dataclass(frozen=True)
class Streams:
    """What stands for the streams in a run, and how they are called for people.

    Attributes:
        source: holds what came through standard input; None: nothing does.
        folder: private, for what shall go to standard output; None: nothing shall.

    """

    source: Path | None = None
    folder: Path | None = None

    def event(self, event: "Event") -> "Event":
        """Return an event with the photo as the user called it."""
        if event.job is None or event.job.source != self.source:
            return event
        return replace(event, job=replace(event.job, source=STREAM))

    def outcome(self, outcome: "Outcome") -> "Outcome":
        """Return an outcome with photo and output as the user called them."""
        reason = outcome.reason or ""
        if self.source is not None and outcome.source == self.source:
            reason = reason.replace(str(self.source), "standard input")
            outcome = replace(outcome, source=STREAM)
        if self.folder is not None:
            reason = reason.replace(str(self.folder), "standard output")
            output = None if outcome.output is None else STREAM
            outcome = replace(outcome, output=output)
        return replace(outcome, reason=reason or None)

    def hand_over(self, outcomes: "Sequence[Outcome]") -> None:
        """Write what was made to standard output, if that was asked for: verified, and whole."""
        if self.folder is None:
            return
        for made in (one.output for one in outcomes if one.output is not None):
            sys.stdout.buffer.write(made.read_bytes())
        sys.stdout.buffer.flush()


@contextmanager
def opened(options: CloakOptions) -> Iterator[tuple[CloakOptions, Streams]]:
    """Give the options with a file and a folder in the place of the streams.

    Raises:
        UsageError: standard output is a terminal, or a photo from standard input has no name.

    """
    if options.output == STREAM and sys.stdout.isatty():
        raise click.UsageError("A photo is not for a terminal: send standard output to a file.")
    with TemporaryDirectory(prefix="photocloak-") as folder:
        streams = Streams()
        if options.output == STREAM:
            streams = replace(streams, folder=Path(folder, "out"))
            options = replace(options, output=Path(folder, "out"))
        handle = -1
        if STREAM in options.inputs:
            handle = os.memfd_create("photocloak")
            source = _received(handle)
            streams = replace(streams, source=source)
            options = replace(options, inputs=(source,))
        try:
            yield options, streams
        finally:
            if handle >= 0:
                os.close(handle)


def _received(handle: int) -> Path:
    """Fill a file that lies in memory alone, and return its path in this process."""
    from photocloak import exporters

    mask = os.umask(0o077)
    os.umask(mask)
    os.fchmod(handle, 0o666 & ~mask)  # as the output gets them
    room = exporters.MAX_BYTES + 1  # one more is refused when it is read
    while room > 0 and (data := sys.stdin.buffer.read(min(room, 1 << 20))):
        os.write(handle, data)
        room -= len(data)
    return Path(f"/proc/{os.getpid()}/fd/{handle}")
