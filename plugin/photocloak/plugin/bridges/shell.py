"""The user's shells and `man`: completion for bash, zsh and fish, and the manual pages."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import click
import platformdirs
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from photocloak.core import manifest_root
from photocloak.plugin.bridges.base import Bridge, File, Part

_VARIABLE = "_PHOTOCLOAK_COMPLETE"
"""That click looks for; it names what it does by the program."""

_ZSH = "zsh/site-functions"


class Shell(Bridge):
    """Files that bash, fish and man find by themselves, and zsh where its `fpath` has them."""

    name = "shell"
    title = "completion in bash, zsh and fish, and the manual pages"

    def files(self) -> Mapping[Path, Part]:
        """Return click's scripts for the shells, and the manual pages."""
        data = platformdirs.user_data_path()
        places = {
            data / "bash-completion" / "completions" / "photocloak": BashComplete,
            data / _ZSH / "_photocloak": ZshComplete,
            data / "fish" / "vendor_completions.d" / "photocloak.fish": FishComplete,
        }
        scripts: dict[Path, Part] = {path: File(_script(kind)) for path, kind in places.items()}
        pages = sorted((manifest_root() / "man").glob("*.1"))
        return scripts | {data / "man" / "man1" / one.name: File(one.read_bytes()) for one in pages}

    def probe(self) -> str:
        """Say for which shells there is completion."""
        there = [name for name in ("bash", "zsh", "fish") if shutil.which(name)]
        return f"completion for {', '.join(there) or 'no shell that is installed'}; man photocloak"

    def advice(self, *, installed: bool) -> str:
        """Say what zsh needs to be told."""
        if not installed or shutil.which("zsh") is None:
            return "It holds in new shells."
        folder = platformdirs.user_data_path() / _ZSH
        return (
            "It holds in new shells. In zsh, once, before compinit in ~/.zshrc:\n"
            f"  fpath=({folder} $fpath)"
        )


def _script(kind: type[ShellComplete]) -> bytes:
    """Return the script that asks the program what it may complete."""
    return kind(click.Command("photocloak"), {}, "photocloak", _VARIABLE).source().encode()
