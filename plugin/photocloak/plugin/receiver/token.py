"""The receiver's secret: made once, in a file that its user alone can read."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.storage.folders import Folders, make_private

SHORTEST = 20
"""Characters of a token that somebody chose."""


@dataclass(frozen=True)
class Token:
    """The secret, and where it lies."""

    value: str
    path: Path


def token_of(folders: Folders) -> Token:
    """Return the user's token; it is made when it is first needed, and stays.

    Raises:
        ConfigError: the file holds none.
        OutputError: it cannot be read or made.

    """
    path = make_private(folders.data) / "receiver.token"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error
    try:
        path.chmod(0o600)
        value = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path}: cannot be read ({error}); delete it for a new one.") from error
    if len(value) < SHORTEST or any(one.isspace() for one in value):
        raise ConfigError(
            f"{path}: holds no token of at least {SHORTEST} characters; delete it for a new one."
        )
    return Token(value, path)
