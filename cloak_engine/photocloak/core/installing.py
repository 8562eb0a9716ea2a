"""Which packages there are, and what to type to get one that is missing from this environment."""

import sys
from importlib.util import find_spec
from pathlib import Path
from shlex import quote


def installed_version(package: str) -> str | None:
    """Return the version of an installed package; None: no wheel of it is installed.

    It is in the name of the wheel's record. `importlib.metadata` opens that, with a parser of
    e-mail, which takes a twentieth of a start.
    """
    begin = f"{package.replace('-', '_')}-"
    for place in sys.path:
        for record in Path(place).glob(f"{begin}*.dist-info"):
            return record.stem.removeprefix(begin)
    return None


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
