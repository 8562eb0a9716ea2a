"""Feed broken files to the exporters: `python tests/exporters/fuzz.py COUNT [SEED] [FOLDER]`.

Each file is read, cloaked, written under `keep` and `web`, and scanned. Good outcomes are a file
that decodes again, or an error of ours. A worker does the files; who watches it counts crashes
(any other exception, a signal) and hangs, kills and goes on. A file hangs that takes more than
10 s of processor time and more than four times what it takes unbroken, or waits for ten times as
long. FOLDER holds files to break instead of the built-in ones, of any size.
"""

import io
import json
import os
import resource
import select
import subprocess
import sys
import time
import traceback
import zlib
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

LIMIT, SLOWER, WHOLE, WAITING, MEMORY = 10.0, 4.0, 300.0, 10, 6 << 30
TICKS = os.sysconf("SC_CLK_TCK")
GOOD = ("written", "refused")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a decoder of theirs, or a check of ours, is expected to raise; any other cause is a fault
# that only the boundary in `reading` and `export` kept from the user.
CAUSES = (
    "ValueError",
    "OSError",
    "SyntaxError",
    "RuntimeError",
    "EOFError",
    "OverflowError",
    "error",
)  # zlib.error, struct.error


def corpus(folder: str | None) -> list[bytes]:
    """Return files to break."""
    if folder:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix != ".md")
        return [path.read_bytes() for path in paths]
    import pillow_heif

    face = Pillow.open(Path(__file__).parents[1] / "data/astronaut.png").resize((96, 80))
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8769)[0x927C] = b"MakerNote" * 9
    result = []
    for form, options in (
        ("JPEG", {"restart_marker_rows": 1}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {}),
    ):
        file = io.BytesIO()
        face.save(file, form, exif=exif, **options)
        result.append(file.getvalue())
    file = io.BytesIO()
    pillow_heif.from_pillow(face).save(file, exif=exif.tobytes(), thumbnails=[48])
    return [*result, file.getvalue()]


def broken(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with a few mistakes; most near its head, where structure is."""
    result = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        reach = len(result) if rng.random() < 0.6 else min(len(result), 600)
        at, kind = int(rng.integers(0, max(1, reach))), int(rng.integers(0, 7))
        if kind < 3:
            result[at : at + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 3:
            result[at : at + 4] = [b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"][at % 3]
        elif kind == 4:
            del result[at : at + int(rng.integers(1, 40))]
        elif kind == 5:
            piece = result[at : at + int(rng.integers(1, 400))]
            result[at:at] = piece * int(rng.integers(1, 4))
        else:
            del result[int(rng.integers(len(result) // 3, len(result) + 1)) :]
    if data.startswith(SIGNATURE) and rng.random() < 0.5:
        return _mended(bytes(result))
    return bytes(result)


def _mended(data: bytes) -> bytes:
    """Return a PNG with right checksums, without which nothing behind them is ever tried."""
    result, position = bytearray(data), len(SIGNATURE)
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        if end + 4 > len(data):
            break
        result[end : end + 4] = zlib.crc32(data[position + 4 : end]).to_bytes(4, "big")
        position = end + 4
    return bytes(result)


def case(files: list[bytes], seed: int) -> tuple[int, bytes]:
    """Return which file a seed breaks, and the broken file."""
    rng = np.random.default_rng(seed)
    index = int(rng.integers(len(files)))
    return index, broken(files[index], rng)


def work(folder: str | None) -> None:
    """Answer every line of standard input, `seed N` or `whole N`, with what came of that file."""
    from photocloak import exporters
    from photocloak.core import PhotocloakError

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    files = corpus(folder)
    policies = [exporters.load_policy(name) for name in ("keep", "web")]
    print("ready", flush=True)
    for line in sys.stdin:
        kind, number = line.split()
        try:
            data = files[int(number)] if kind == "whole" else case(files, int(number))[1]
            exporters.scan(data)
            photo = exporters.read_bytes(data, "fuzz.jpg")
            for policy in policies:
                base = exporters.prepare(photo, policy)
                encoded = exporters.encode(photo, base, 255 - base, policy)
                exporters.read_bytes(encoded.data, "again")
            outcome = "written"
        except PhotocloakError as error:
            cause = error.__cause__
            outcome = "refused"
            if cause is not None and type(cause).__name__ not in CAUSES:
                outcome = f"caught {type(cause).__name__}: {cause} {_where(cause)}"
        except Exception:
            outcome = f"crash {traceback.format_exc()[-420:]!r}"
        print(outcome, flush=True)


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"({Path(last.filename).name}:{last.lineno})"


class Worker:
    """A process that tries files; a new one takes its place when it dies or hangs."""

    def __init__(self, folder: str | None) -> None:
        self._command = [sys.executable, __file__, "--work", folder or ""]
        self._process: subprocess.Popen[bytes] | None = None
        self.took = 0.0

    def ask(self, request: str, limit: float) -> str:
        """Return the answer to a request; after `limit` seconds of work without one: a hang."""
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )
            self._answer(WHOLE)
        assert self._process.stdin is not None
        before = self._worked()
        self._process.stdin.write(f"{request}\n".encode())
        self._process.stdin.flush()
        answer = self._answer(limit)
        self.took = self._worked() - before
        if not answer:
            self.close()
        return f"hang of {limit:.0f} s" if answer is None else answer or "it died"

    def _answer(self, limit: float) -> str | None:
        assert self._process is not None
        assert self._process.stdout is not None
        before, began = self._worked(), time.monotonic()
        while self._worked() - before <= limit and time.monotonic() - began <= WAITING * limit:
            ready, _, _ = select.select([self._process.stdout], [], [], 0.2)
            if ready:
                return self._process.stdout.readline().decode().strip()
        return None

    def _worked(self) -> float:
        """Return the seconds of processor time it has used: what else runs is no matter."""
        assert self._process is not None
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def run(count: int, seed: int = 0, folder: str | None = None) -> dict[str, object]:
    """Try `count` seeds; return the counts, what went wrong, and how slow the slowest was."""
    files, worker = corpus(folder), Worker(folder)
    limits: dict[int, float] = {}
    counts, wrong, slowest = dict.fromkeys(GOOD, 0), [], 0.0
    caught: dict[str, int] = {}
    for number in range(seed, seed + count):
        index = case(files, number)[0]
        if index not in limits:
            answer = worker.ask(f"whole {index}", WHOLE)
            limits[index] = max(LIMIT, SLOWER * worker.took)
            if answer not in GOOD:
                wrong.append(f"unbroken file {index}: {answer}")
        answer = worker.ask(f"seed {number}", limits[index])
        slowest = max(slowest, worker.took / limits[index])
        if answer in GOOD:
            counts[answer] += 1
        elif answer.startswith("caught"):
            counts["refused"] += 1
            caught[answer] = caught.get(answer, 0) + 1
        else:
            wrong.append(f"seed {number}: {answer}")
    worker.close()
    share = round(slowest, 2)
    return {"tried": count, **counts, "share of its limit": share, "caught": caught, "wrong": wrong}


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        work(sys.argv[2] or None)
    else:
        seed_ = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        folder_ = sys.argv[3] if len(sys.argv) > 3 else None
        print(json.dumps(run(int(sys.argv[1]), seed_, folder_), indent=2))
