"""Where a path lies: on which mounted file system, and at which place of it."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mount:
    """A mounted file system: where, and its type; empty where that is not known."""

    point: str
    kind: str


def mount_of(path: Path) -> Mount:
    """Return what an absolute path lies on (proc(5), "mountinfo")."""
    best = Mount("", "")
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
            left, _, right = line.partition(" - ")
            point = left.split()[4]
            for escape in (" ", "\t", "\n", "\\"):
                point = point.replace(f"\\{ord(escape):03o}", escape)
            if len(point) >= len(best.point) and path.is_relative_to(point):
                best = Mount(point, right.split()[0])
    return best


def place_of(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which are another's when a path leads elsewhere; None: nowhere."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
