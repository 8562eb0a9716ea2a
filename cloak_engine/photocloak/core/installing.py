"""What to type to get a package that is missing, in the environment that photocloak runs in."""

import sys
from importlib.util import find_spec
from shlex import quote


def install_hint(*requirements: str) -> str:
    """Return the command that installs packages for this photocloak, which is on no index."""
    packages = " ".join(map(quote, requirements))
    return f"`{_pip('install')} {packages}`" if find_spec("pip") else _by_other_means(packages)


def replace_hint(*unwanted: str, by: str) -> str:
    """Return the commands that put a package in the place of others."""
    if not find_spec("pip"):
        return f"uninstall {' and '.join(unwanted)}, then {_by_other_means(quote(by))}"
    gone = " ".join(map(quote, unwanted))
    return f"`{_pip('uninstall')} -y {gone}`, then `{_pip('install')} {quote(by)}`"


def _pip(command: str) -> str:
    return f"{quote(sys.executable)} -m pip {command}"


def _by_other_means(packages: str) -> str:
    return (
        f"install {packages} into the environment of {sys.executable} with what made it (such as "
        f"`uv pip install --python {quote(sys.executable)} {packages}`)"
    )
