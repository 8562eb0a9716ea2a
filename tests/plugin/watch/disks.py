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
    """A folder at which new file systems of 16 MB can be mounted, one after the other."""

    kind: str
    images: Path
    folder: Path
    devices: list[str] = field(default_factory=list)

    @property
    def fill(self) -> Path:
        """The file that takes up the room."""
        return self.folder / "filler"

    def mount(self, *, read_only: bool = False) -> None:
        """Mount a new one: who has the old one open still has it, even when it is unmounted."""
        self.folder.mkdir(exist_ok=True)
        if self.kind == "tmpfs":
            size = "size=16m,ro" if read_only else "size=16m"
            _run(["mount", "-t", "tmpfs", "-o", size, "none", self.folder])
            return
        self.images.mkdir(exist_ok=True)
        image = self.images / str(len(self.devices))
        with image.open("wb") as file:
            file.truncate(16 * MB)
        _run([*MAKE[self.kind], image])
        self.devices.append(_run(["losetup", "-f", "--show", image]).strip())
        way = MOUNT if self.kind in kernel() or self.kind not in FUSE else FUSE
        options = ["-o", "ro"] if read_only else []
        _run([*way[self.kind], *options, self.devices[-1], self.folder])

    def unmount(self) -> None:
        """Take it away, whoever uses it."""
        subprocess.run(["umount", "--lazy", self.folder], check=False, capture_output=True)

    def leave(self, free: int) -> None:
        """Fill it until so many bytes are free."""
        with self.fill.open("wb") as file:
            while (spare := _free(self.folder) - free) > 0:
                file.write(bytes(min(spare, MB)))
                file.flush()
                os.fsync(file.fileno())

    def close(self) -> None:
        """Give everything back."""
        self.unmount()
        for device in self.devices:
            subprocess.run(["losetup", "-d", device], check=False, capture_output=True)


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
