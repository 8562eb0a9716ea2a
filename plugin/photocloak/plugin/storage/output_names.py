"""How an output is called: as its photo, as the user says, or so that its name gives nothing away.

A neutral name tells no date, place or person. It comes of the photo's content, so that the same
photo has the same name wherever it lies and however it is called; and of a secret of this user's,
since whoever has the clean photo could else compute the name, and find which cloaked one is its.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin.storage.database import Database

BEGIN = "photo-"
_NEUTRAL = re.compile(BEGIN + r"[0-9a-f]{20}(-\d+)?")


@dataclass(frozen=True)
class OutputName:
    """What an output is to be called.

    Attributes:
        stem: its name without a suffix; a number follows where it is taken.
        whole: the name that the user has chosen, suffix and all: no other will do.
        neutral: whether it gives nothing away.

    """

    stem: str
    whole: str | None = None
    neutral: bool = False

    def fits(self, path: Path) -> bool:
        """Tell whether a file that was made earlier may keep its name."""
        if self.whole is not None:
            return path.name == self.whole
        return self.neutral == is_neutral(path) or self.stem == path.stem


def is_neutral(path: Path) -> bool:
    """Tell whether a file has a name that gives nothing away."""
    return _NEUTRAL.fullmatch(path.stem) is not None


class NeutralNames:
    """Names that give nothing away; the secret behind them is made when it is first needed."""

    def __init__(self, database: Database) -> None:
        self._database, self._key = database, b""

    def of(self, sha256: str) -> OutputName:
        """Return the name for what is made of a photo of this hash."""
        # 80 bits: of a million photos two get one name once in 10^12 times, and then a number.
        digest = hmac.new(self._secret(), sha256.encode(), hashlib.sha256).hexdigest()
        return OutputName(f"{BEGIN}{digest[:20]}", neutral=True)

    def _secret(self) -> bytes:
        if not self._key:
            with self._database.transaction() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO secrets VALUES ('names', ?)", (secrets.token_bytes(32),)
                )
                query = "SELECT value FROM secrets WHERE name = 'names'"
                self._key = bytes(connection.execute(query).fetchone()[0])
        return self._key


def format_of_file(source: Path) -> str | None:
    """Return the format of a photo by its first bytes; None: what it is shows when it is read."""
    try:
        if not source.is_file():  # a pipe would be waited for
            return None
        with source.open("rb") as file:
            return exporters.format_of(file.read(64))
    except OSError:
        return None


def check_ending(name: str, form: str | None, source: Path) -> None:
    """Raise ConfigError where a file name has the ending of another format than `form`."""
    if form is None or exporters.format_like(Path(name).suffix) == form:
        return
    raise ConfigError(
        f"{source}: is written as {form}, so {name} cannot be its name; end it in "
        f"{exporters.usual_suffix(form)}, or choose a preset that writes another format."
    )
