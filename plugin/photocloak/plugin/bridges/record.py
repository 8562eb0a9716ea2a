"""What was put where: `bridges.json` in the user's data folder."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.bridges.parts import Part
from photocloak.plugin.storage.folders import Folders, make_private


@dataclass(frozen=True)
class InstalledPart:
    """What was put at one path.

    Attributes:
        kind: of the part, a key of `parts.KINDS`.
        texts: what to know the part by; the last is the newest (see `Part.text`).
        before: the file without the part; None: there was none.
        after: SHA-256 of the file with the part, in hex.
        made: the folders that had to be made for it.

    """

    kind: str
    texts: tuple[str, ...]
    before: bytes | None
    after: str
    made: tuple[Path, ...]

    @classmethod
    def of(cls, part: Part) -> "InstalledPart":
        """Return an entry to look for a part by that was never put."""
        return cls(part.kind, (part.text,), None, "", ())

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> "InstalledPart":
        """Read what `as_json` has written."""
        before = table["before"]
        return cls(
            table["kind"],
            tuple(table["texts"]),
            None if before is None else b64decode(before),
            table["after"],
            tuple(map(Path, table["made"])),
        )

    def as_json(self) -> dict[str, object]:
        """Return the entry as it stands in the file."""
        return {
            "kind": self.kind,
            "texts": self.texts,
            "before": None if self.before is None else b64encode(self.before).decode("ascii"),
            "after": self.after,
            "made": [str(folder) for folder in self.made],
        }


class Record:
    """The file with the entries of all bridges; written whole or not at all."""

    def __init__(self, folders: Folders) -> None:
        self.path = folders.data / "bridges.json"

    def load(self, name: str) -> dict[Path, InstalledPart]:
        """Return what was put for the bridge of that name."""
        table = self._read().get(name, {})
        return {Path(path): InstalledPart.from_json(entry) for path, entry in table.items()}

    def load_others(self, name: str) -> dict[Path, InstalledPart]:
        """Return what was put for the other bridges; two may share a file."""
        others = (self.load(other) for other in self._read() if other != name)
        return {path: entry for entries in others for path, entry in entries.items()}

    def save(self, name: str, entries: Mapping[Path, InstalledPart]) -> None:
        """Replace what stands there of the bridge of that name, also where others share a file.

        When nothing is left, the file goes, too, and its folder if that is empty then.
        """
        table = self._read()
        table.pop(name, None)
        written = {str(path): entry.as_json() for path, entry in entries.items()}
        for others in table.values():
            others |= {path: entry for path, entry in written.items() if path in others}
        if written:
            table[name] = written
        try:
            if table:
                self._write(table)
            else:
                self.path.unlink(missing_ok=True)
                with suppress(OSError):  # there is more in it, or it was never there
                    self.path.parent.rmdir()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror}).") from error

    def _write(self, table: Mapping[str, Any]) -> None:
        temporary = make_private(self.path.parent) / f".{self.path.name}-{os.getpid()}"
        try:
            handle = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump(table, file, indent=1)
                file.flush()
                os.fsync(handle)
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            table: dict[str, Any] = json.loads(self.path.read_text("ascii"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self.path}: cannot be read ({error}); it says what photocloak put into other "
                "programs. Restore it from a backup, or remove it and those files by hand."
            ) from error
        return table
