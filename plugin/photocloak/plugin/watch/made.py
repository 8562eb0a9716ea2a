"""Files that were made: found by their hash, read back only if nobody has changed them."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from photocloak.plugin.watch.queue import Twin


def find_made(folder: Path, stem: str, hashes: Collection[str]) -> tuple[Path, str] | None:
    """Return the file, and its hash, that was made of a photo of this name."""
    if not hashes or not folder.is_dir():
        return None
    for path in sorted(folder.iterdir()):
        if path.name.startswith(stem[:200]) and (sha256 := sha256_of(path)) in hashes:
            return path, str(sha256)
    return None


def unchanged(twin: Twin) -> bytes | None:
    """Return the bytes of a twin's output, if nobody has changed it."""
    try:
        data = twin.output.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == twin.sha256 else None


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a file; None: it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
