"""`photocloak serve`: the receiver."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.config import WatchConfig

PORT = 8377


@click.command()
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(1, 65535),
    help=f"Port of the loopback interface; {PORT} if neither this nor --socket is said.",
)
@click.option(
    "--socket",
    "socket_file",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Listen on a Unix socket instead, for its owner and group.",
)
@click.option(
    "--max-size",
    metavar="MB",
    type=click.IntRange(1, 2000),
    default=100,
    show_default=True,
    help="Largest request.",
)
@click.option(
    "--timeout",
    metavar="S",
    type=click.IntRange(1, 3600),
    default=300,
    show_default=True,
    help="Longest that POST /cloak waits for its photo.",
)
@click.option(
    "--max-waiting",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Photos that may wait; more are told to come back later.",
)
def serve(
    *,
    port: int | None,
    socket_file: Path | None,
    max_size: int,
    timeout: int,
    max_waiting: int,
) -> None:
    """Cloak photos that other programs send by HTTP, on this machine alone, until stopped.

    POST /cloak takes a photo and answers with its cloaked file, or says why there is none. Every
    request needs the token, whose file is printed at the start. /openapi.json describes the rest.
    """
    from photocloak.plugin.commands.watch import open_coordinator
    from photocloak.plugin.receiver.desk import Desk, Limits
    from photocloak.plugin.receiver.intake import Received
    from photocloak.plugin.receiver.listening import Port, SocketFile
    from photocloak.plugin.receiver.store import Store
    from photocloak.plugin.receiver.token import token_of
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.daemon import Daemon

    if port is not None and socket_file is not None:
        raise click.UsageError("Say --port or --socket, not both.")
    folders = Folders.of_user()
    place = Port(port or PORT) if socket_file is None else SocketFile(socket_file.absolute())
    limits = Limits(max_size * 1_000_000, timeout, waiting=max_waiting)
    store, token = Store(folders, most=max_waiting), token_of(folders)
    tempfile.tempdir = str(store.temporary)  # private, for what is half received
    Daemon(
        lambda: _orders(folders, store.output),
        folders,
        open_coordinator=open_coordinator,
        open_intake=lambda events: Received(
            Desk(store, folders, limits, events.ring), place, token
        ),
        journal=store.journal,
    ).run()


def _orders(folders: "Folders", output: Path) -> "WatchConfig":
    """Read the settings file; what is not asked for is done as for publishing."""
    from photocloak.engine.modes import load_mode
    from photocloak.plugin.assembly import calls_neutrally
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.watch.config import WatchConfig

    settings = load_settings(folders.settings)
    settings = settings.with_flags(preset=settings.preset_to_publish)
    load_mode(settings.mode)
    calls_neutrally(settings, folders)
    return WatchConfig((), output, settings)
