"""Differentiated, optimised models on disk, so that a start neither derives nor optimises again.

An entry is a folder `<key>/` of three files: the graph as ONNX Runtime optimised it, its weights
(which sessions map instead of reading, so that processes share them) and the CRC-32 of both: it
tells damage as well as a SHA-256, in four tenths of the time, and who may change the one file may
change the other. The key covers all that the result depends on. An entry appears in one step and
never changes; one that is damaged is removed and made again. Where the folder cannot be used,
everything works without it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from photocloak.core import installed_version
from photocloak.engine.runtime import (
    WEIGHTS,
    Device,
    has_cuda,
    open_session,
    require_onnxruntime,
    session_from_file,
)

if TYPE_CHECKING:
    import onnx

    from photocloak.engine.extractors.spec import ExtractorSpec

_LOG: Final = logging.getLogger(__name__)

LARGEST: Final = 1 << 30
"""Bytes that all entries together may take; who was not used for longest goes first."""

OLDEST: Final = 60 * 86400
"""Seconds after which an entry nobody used goes."""

_ABANDONED: Final = 3600  # seconds after which a half-made entry is taken for a dead process's
_MODEL, _SUM = "model.onnx", "crc32"
_PARTIAL: Final = "new-"


class ModelCache:
    """Sessions by key; `folder` None: everything is made anew."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def has(self, key: str) -> bool:
        """Tell whether there is an entry of this user's; it may yet turn out to be damaged."""
        try:
            return self._folder is not None and (
                (self._folder / key / _SUM).stat().st_uid == os.geteuid()
            )
        except OSError:
            return False

    def open(
        self, key: str, make: Callable[[], onnx.ModelProto], *, threads: int, device: Device
    ) -> Any:
        """Return a session on the model under `key`, which `make` makes where there is none."""
        session = self._found(key, threads=threads, device=device)
        if session is not None:
            return session
        model = make()
        made = None if self._folder is None else self._made(key, model, device=device)
        if made is not None:
            session = self._found(key, threads=threads, device=device)
        return open_session(model, threads=threads, device=device) if session is None else session

    def _found(self, key: str, *, threads: int, device: Device) -> Any:
        """Open the entry, None where there is none that is whole."""
        if self._folder is None or not self.has(key):
            return None
        entry = self._folder / key
        try:
            if (entry / _SUM).read_text("ascii") != _sum(entry):
                raise ValueError("it is damaged")
            # What is stored for the CPU is optimised already; for a card only differentiated.
            session = session_from_file(
                entry / _MODEL, threads=threads, device=device, optimise=has_cuda(device)
            )
            os.utime(entry)
        except Exception as error:  # ONNX Runtime's errors share no other base
            _LOG.info("%s is made again: %s", entry, error)
            shutil.rmtree(entry, ignore_errors=True)
            return None
        return session

    def _made(self, key: str, model: onnx.ModelProto, *, device: Device) -> Path | None:
        """Make an entry; None where that is impossible here."""
        assert self._folder is not None
        place = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder.chmod(0o700)
            place = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self._folder))  # 0700
            _write(model, place, optimise=not has_cuda(device))
            (place / _SUM).write_text(_sum(place), "ascii")
            for path in place.iterdir():
                path.chmod(0o600)
                _sync(path)
            if not self.has(key):  # a remnant would be in the way
                shutil.rmtree(self._folder / key, ignore_errors=True)
            entry = place.rename(self._folder / key)
        except Exception as error:
            if self.has(key):  # another process was faster
                return self._folder / key
            _LOG.info("Models are not kept in %s: %s", self._folder, error)
            return None
        finally:
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)
        self._tidy()
        return entry

    def _tidy(self) -> None:
        """Remove what nobody used for long, what is too much, and what was left half-made."""
        assert self._folder is not None
        now, total, entries = time.time(), 0, []
        for path in self._folder.iterdir():
            with suppress(OSError):  # another thread or process is about to finish or remove it
                size = sum(part.stat().st_size for part in path.iterdir())
                entries.append((now - path.stat().st_mtime, path, size))
        for age, entry, size in sorted(entries):
            limit = _ABANDONED if entry.name.startswith(_PARTIAL) else OLDEST
            total += size
            if age > limit or total > LARGEST:
                shutil.rmtree(entry, ignore_errors=True)


def key_of(spec: ExtractorSpec, kind: str, device: Device) -> str:
    """Return the key of a recogniser's model: of all that it is made from, by and for."""
    look = (spec.size, spec.order, spec.mean, spec.scale, spec.input, spec.output, spec.embedding)
    return f"{spec.name}-{kind}-{_digest(spec.sha256, look, kind, device)}"


def plain_key(name: str, sha256: str) -> str:
    """Return the key of a model that runs as it is, on the CPU."""
    return f"{name}-{_digest(sha256, (), 'plain', 'cpu')}"


def _digest(sha256: str, look: object, kind: str, device: Device) -> str:
    parts = (sha256.lower(), look, kind, has_cuda(device), _environment())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


@cache
def _environment() -> tuple[str, ...]:
    """Return what else a model depends on: the runtime, our own code, and the processor.

    ONNX Runtime lays weights out for the vector units it finds; on another machine, which may
    share the home folder, they would be refused or slow.
    """
    code = hashlib.sha256()
    package = Path(__file__).parents[1]
    sources = [
        *(package / "autodiff").rglob("*.py"),
        *(package / "extractors").glob("*.py"),
        package / "runtime.py",
    ]
    for path in sorted(sources):
        code.update(path.read_bytes())
    return (
        str(installed_version("photocloak")),
        code.hexdigest(),
        require_onnxruntime().__version__,
        str(installed_version("onnx")),
        platform.machine(),
        _processor(),
    )


def _processor() -> str:
    """Return the processor's features as Linux lists them, else its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), "")


def _write(model: onnx.ModelProto, place: Path, *, optimise: bool) -> None:
    """Have ONNX Runtime write the model, optimised or as it is, and its weights into `place`."""
    source = place / "source.onnx"
    source.write_bytes(model.SerializeToString())
    session_from_file(source, threads=1, device="cpu", optimise=optimise, write=place / _MODEL)
    source.unlink()


def _sum(entry: Path) -> str:
    """Return length and CRC-32 of graph and weights."""
    sums = []
    for path in (entry / _MODEL, entry / WEIGHTS):
        if path == entry / _MODEL or path.exists():  # small models have no large weights
            with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                sums.append(f"{len(data)} {crc32(data):08x}")
    return "; ".join(sums)


def _sync(path: Path) -> None:
    """Have the disk say now if it is full."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
