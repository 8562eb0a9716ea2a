"""`photocloak install` and `photocloak uninstall`: into other programs, and out of them."""

from typing import TYPE_CHECKING

import click

from photocloak.core import ExitCode, PhotocloakError
from photocloak.plugin.bridges import NAMES, load_bridge

if TYPE_CHECKING:
    from photocloak.plugin.bridges.base import Change

NAME = click.Choice(NAMES)


@click.command()
@click.argument("name", metavar="NAME", type=NAME)
def install(name: str) -> None:
    """Put photocloak into another program: darktable, digikam, gimp, desktop, service or shell.

    shell is completion for bash, zsh and fish, and the manual pages.

    Files that are there already are not touched. `photocloak uninstall NAME` takes away exactly
    what this has put, and `photocloak doctor` says whether it works.
    """
    from photocloak.plugin.bridges.base import install as put
    from photocloak.plugin.storage.folders import Folders

    bridge = load_bridge(name)
    change = put(bridge, Folders.of_user())
    _tell(change)
    try:
        bridge.probe()
    except PhotocloakError as error:
        _say(f"{name}: {error}")  # what was asked for is done: the files are in place
    else:
        _say(bridge.advice(installed=True))


@click.command()
@click.argument("name", metavar="NAME", type=NAME)
def uninstall(name: str) -> int:
    """Take away what `photocloak install NAME` has put, and nothing else.

    What was changed since stays, and is named.
    """
    from photocloak.plugin.bridges.base import uninstall as take
    from photocloak.plugin.storage.folders import Folders

    bridge = load_bridge(name)
    change = take(bridge, Folders.of_user())
    _tell(change)
    if not change.done and not change.left:
        _say(f"{name} was not installed")
    _say(bridge.advice(installed=False))
    return ExitCode.OUTPUT if change.left else ExitCode.OK


def _tell(change: "Change") -> None:
    for path, deed in change.done.items():
        _say(f"{deed} {path}")
    for path, reason in change.left.items():
        _say(f"left {path}: it {reason}")


def _say(text: str) -> None:
    if text:
        click.echo(text, err=True)
