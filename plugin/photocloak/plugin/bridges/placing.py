"""Parts onto the disk and off again: what may be written, and what must stay as it is."""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.bridges.parts import KINDS, File, Part
from photocloak.plugin.bridges.record import InstalledPart

PIECES = {"line": "a line", "element": "an entry"}
"""What a piece of a user's file is called for people, by the kind of the part."""


@dataclass(frozen=True)
class Placement:
    """One part to be put: the file before without it, and after with it."""

    path: Path
    before: bytes | None
    after: bytes
    part: Part

    @property
    def deed(self) -> str:
        """What this does, for people."""
        piece = PIECES.get(self.part.kind)
        return "put" if piece is None or self.before is None else f"added {piece} to"


def plan(path: Path, part: Part, entry: InstalledPart | None) -> Placement | None:
    """Work out what to write; None where just this is there and not from us."""
    there = read(path)
    if there is None:
        return Placement(path, None, _with(part, b"", path), part)
    as_put = found(there, entry or InstalledPart.of(part), path)
    if as_put and entry is None:
        return None
    if as_put is False:
        whose = "was changed since photocloak put it there" if entry else "is not photocloak's"
        raise OutputError(
            f"{path}: {whose}, so it was left as it is, and nothing was installed. "
            "Move it away and install again."
        )
    before = there if as_put is None or entry is None else _without(there, entry)
    return Placement(path, before, _with(part, before or b"", path), part)


def installed_part_of(step: Placement, old: InstalledPart | None) -> InstalledPart:
    """Return what to record of a step: until it is done, the old text counts as ours as well."""
    made = old.made if old else _missing_folders(step.path)
    texts = (*(old.texts if old else ()), step.part.text)
    return InstalledPart(step.part.kind, texts, step.before, sha256(step.after).hexdigest(), made)


def take_away(entries: Mapping[Path, InstalledPart]) -> tuple[dict[Path, str], dict[Path, str]]:
    """Remove what is as it was put; return what was done, and what stays with the reason."""
    gone, kept = {}, {}
    for path, entry in entries.items():
        there = read(path)
        as_put = None if there is None else found(there, entry, path)
        if as_put is False:
            kept[path] = "was changed since photocloak put it there, so it stays"
        elif there is not None and as_put:
            rest = _without(there, entry)
            try:
                path.unlink() if rest is None else _write(path.resolve(), rest, None)
            except OSError as error:
                kept[path] = f"cannot be taken away ({error.strerror})"
                continue
            gone[path] = "took away" if rest is None else f"took {PIECES[entry.kind]} out of"
    return gone, kept


def drop_lines(path: Path, ours: Callable[[bytes], bool]) -> bool:
    """Take the lines out of a text file that are ours; tell whether there were any.

    Raises:
        OutputError: the file cannot be read or written.

    """
    lines = (read(path) or b"").splitlines(keepends=True)
    rest = [line for line in lines if not ours(line)]
    if len(rest) == len(lines):
        return False
    try:
        _write(path.resolve(), b"".join(rest), None)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error
    return True


def remove_folders(entries: Mapping[Path, InstalledPart]) -> None:
    """Remove the folders that were made for these, as far as they are empty."""
    for folder in sorted((f for e in entries.values() for f in e.made), reverse=True):
        with suppress(OSError):  # not empty, or gone
            folder.rmdir()


def found(there: bytes, entry: InstalledPart, path: Path) -> bool | None:
    """Look for a part by any text it may have; see `Part.find`."""
    try:
        answers = [KINDS[entry.kind].find(there, text) for text in entry.texts]
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}; repair it or move it away.") from error
    return True if True in answers else False if False in answers else None


def _without(there: bytes, entry: InstalledPart) -> bytes | None:
    """Return the file as it is without the part; None: there is no file without it."""
    if sha256(there).hexdigest() == entry.after:
        return entry.before
    kind = KINDS[entry.kind]
    for text in entry.texts:
        if kind.find(there, text):
            there = kind.take(there, text)
    return None if entry.before is None and kind.hollow(there) else there


def _with(part: Part, there: bytes, path: Path) -> bytes:
    try:
        return part.put(there)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}; repair it or move it away.") from error


def read(path: Path) -> bytes | None:
    """Return what is at a path; None: nothing. A link that leads nowhere is an OutputError."""
    if not os.path.lexists(path):
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be read ({error.strerror}); move it away or make it readable for you."
        ) from error


def _missing_folders(path: Path) -> tuple[Path, ...]:
    return tuple(folder for folder in path.parents if not folder.exists())


def put(step: Placement) -> None:
    """Write what was planned; OutputError where that fails."""
    try:
        step.path.parent.mkdir(parents=True, exist_ok=True)
        _write(step.path.resolve(), step.after, step.part)
    except OSError as error:
        raise OutputError(
            f"{step.path}: cannot be written ({error.strerror}). `photocloak uninstall` takes away "
            "what was put so far."
        ) from error


def _write(path: Path, content: bytes, part: Part | None) -> None:
    """Write a file so that it is there whole or not at all; the user's own keeps its mode."""
    temporary = path.with_name(f".photocloak-{os.getpid()}-{secrets.token_hex(8)}.part")
    wanted = 0o777 if part is not None and part.executable else 0o666
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, wanted)
        with os.fdopen(handle, "wb") as file:
            if path.exists() and not isinstance(part, File):
                os.fchmod(handle, path.stat().st_mode & 0o777)
            file.write(content)
            file.flush()
            os.fsync(handle)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
