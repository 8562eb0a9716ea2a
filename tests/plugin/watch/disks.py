"""Real file systems in files: made, mounted, filled, made read-only, taken away and given back."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import NO_MOUNT

MB = 1 << 20

MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-m", "0"],
    "vfat": ["mkfs.vfat"],
    "exfat": ["mkfs.exfat"],
    "ntfs": ["mkfs.ntfs", "-F", "-q", "-f"],
}
MOUNT = {
    "ext4": ["mount", "-t", "ext4"],
    "vfat": ["mount", "-t", "vfat"],
    "exfat": ["mount", "-t", "exfat"],
    "ntfs": ["ntfs-3g", "-o", "windows_names"],
}
FUSE = {"exfat": ["mount.exfat-fuse"]}
"""Where the kernel lacks the file system. (Debian's fusefat for vfat breaks down in use.)"""


@dataclass
class Disk:
    """A file system of 16 MB that can be mounted at a folder."""

    kind: str
    image: Path
    folder: Path
    fill: Path = field(init=False)
    device: str = ""

    def __post_init__(self) -> None:
        self.fill = self.folder / "filler"
        if self.kind == "tmpfs":
            return
        with self.image.open("wb") as file:
            file.truncate(16 * MB)
        _run([*MAKE[self.kind], self.image])
        self.device = _run(["losetup", "-f", "--show", self.image]).strip()

    def mount(self, *, read_only: bool = False) -> None:
        self.folder.mkdir(exist_ok=True)
        if self.kind == "tmpfs":
            options = "size=16m,ro" if read_only else "size=16m"
            _run(["mount", "-t", "tmpfs", "-o", options, "none", self.folder])
            return
        way = MOUNT if self.kind in kernel() or self.kind not in FUSE else FUSE
        options = ["-o", "ro"] if read_only else []
        _run([*way[self.kind], *options, self.device, self.folder])

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=False, capture_output=True)

    def leave(self, free: int) -> None:
        """Fill it until so many bytes are free."""
        with self.fill.open("wb") as file:
            while (spare := _free(self.folder) - free) > 0:
                file.write(bytes(min(spare, MB)))
                file.flush()
                os.fsync(file.fileno())

    def close(self) -> None:
        self.unmount()
        if self.device.startswith("/dev/"):
            subprocess.run(["losetup", "-d", self.device], check=False, capture_output=True)


def kernel() -> set[str]:
    """Return the file systems that the kernel has."""
    return {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}


def _free(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _run(command: list[str | Path]) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        pytest.skip(f"{NO_MOUNT}: {command[0]}: {said.strip()[-200:]}")
    return done.stdout
