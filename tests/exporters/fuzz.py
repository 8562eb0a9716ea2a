"""Feed broken files to the exporters: `python tests/exporters/fuzz.py COUNT [SEED] [FOLDER]`.

Each file is read, cloaked, written under `keep` and `web`, and scanned. Good outcomes are a file
that decodes again, or an error of ours. A worker does the files; who watches it counts crashes
(any other exception, a signal) and hangs (more than 10 s for a file), kills and goes on. FOLDER
holds files to break instead of the built-in ones.
"""

import io
import json
import resource
import select
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

LIMIT, MEMORY = 10.0, 6 << 30


def corpus(folder: str | None) -> list[bytes]:
    """Return files to break."""
    if folder:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix != ".md")
        return [path.read_bytes() for path in paths if path.stat().st_size < 400_000]
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
    return bytes(result)


def case(files: list[bytes], seed: int) -> bytes:
    """Return the broken file of a seed."""
    rng = np.random.default_rng(seed)
    return broken(files[int(rng.integers(len(files)))], rng)


def work(first: int, last: int, folder: str | None) -> None:
    """Do some seeds, and print what came of each."""
    from photocloak import exporters
    from photocloak.core import PhotocloakError

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    files = corpus(folder)
    policies = [exporters.load_policy(name) for name in ("keep", "web")]
    for seed in range(first, last):
        try:
            data = case(files, seed)
            exporters.scan(data)
            photo = exporters.read_bytes(data, "fuzz.jpg")
            for policy in policies:
                base = exporters.prepare(photo, policy)
                encoded = exporters.encode(photo, base, 255 - base, policy)
                exporters.read_bytes(encoded.data, "again")
            outcome = "written"
        except PhotocloakError:
            outcome = "refused"
        except Exception:
            outcome = f"crash {traceback.format_exc()[-420:]!r}"
        print(seed, outcome, flush=True)


def run(count: int, seed: int = 0, folder: str | None = None) -> dict[str, object]:
    """Watch workers through `count` seeds; return the counts and what went wrong."""
    result: dict[str, object] = {"tried": 0, "written": 0, "refused": 0}
    wrong: list[str] = []
    at, end = seed, seed + count
    while at < end:
        command = [sys.executable, __file__, "--work", str(at), str(end), folder or ""]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert worker.stdout is not None
        starting = 30.0  # the first answer waits for imports, too
        while at < end:
            ready, _, _ = select.select([worker.stdout], [], [], LIMIT + starting)
            line = worker.stdout.readline().decode() if ready else "hang"
            starting = 0.0
            word = line.split(" ", 1)[-1].strip()
            result["tried"] = at - seed + 1
            if word in ("written", "refused"):
                result[word] = int(str(result[word])) + 1
            else:
                wrong.append(f"seed {at}: {word or 'killed by a signal'}")
            at += 1
            if not word or word == "hang":
                break
        worker.kill()
        worker.wait()
    return {**result, "wrong": wrong}


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        work(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] or None)
    else:
        seed_ = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        folder_ = sys.argv[3] if len(sys.argv) > 3 else None
        print(json.dumps(run(int(sys.argv[1]), seed_, folder_), indent=2))
