"""A real WebDAV server (rclone's), killed and started again, and its mount (rclone's, by FUSE)."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import NO_MOUNT
from tests.plugin.watch.harness import until

NO_RCLONE = "rclone is not installed (apt install rclone fuse3)"
ANSWER = ["--contimeout=2s", "--timeout=5s", "--low-level-retries=1", "--retries=1"]
"""Options with which rclone says soon that a server does not answer."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A WebDAV server for a folder of this machine."""

    def __init__(self, home: Path) -> None:
        if shutil.which("rclone") is None:
            pytest.skip(NO_RCLONE)
        self.home, self.folder = home, home / "server"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log, self.port = home / "server.log", free_port()
        # What this machine says of certificates is not understood by rclone's S3.
        kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        self.environment = kept | {
            "RCLONE_CONFIG": str(home / "rclone.conf"), "RCLONE_CACHE_DIR": str(home / "cache"),
            "RCLONE_CONFIG_HOME_TYPE": "webdav", "RCLONE_CONFIG_HOME_VENDOR": "other",
            "RCLONE_CONFIG_HOME_URL": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                ["rclone", "serve", "webdav", self.folder, f"--addr=127.0.0.1:{self.port}",
                 "--dir-cache-time=0s", "-v"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
            )  # fmt: skip
        until(self._answers, tell=lambda: self.log.read_text("utf-8", "replace"))

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def fetched(self) -> list[str]:
        """Return the files that were read from it, as often as they were."""
        return re.findall(r": (/.*): GET from", self.log.read_text("utf-8", "replace"))

    def _answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


class Mount:
    """The server's folder, mounted as docs/howto/home-server.md has it, with shorter times."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self._running: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def mount(self) -> None:
        log = self.server.home / "mount.log"
        with log.open("wb") as file:
            running = self._running = subprocess.Popen(
                ["rclone", "mount", "home:", self.folder, "--vfs-cache-mode=writes",
                 "--dir-cache-time=1s", *ANSWER],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=self.server.environment,
            )  # fmt: skip
        until(lambda: os.path.ismount(self.folder) or running.poll() is not None)
        if running.poll() is not None:
            pytest.skip(f"{NO_MOUNT} by FUSE: {log.read_text('utf-8', 'replace').strip()[-200:]}")

    def unmount(self) -> None:
        subprocess.run(["fusermount3", "-u", "-z", self.folder], check=False, capture_output=True)
        self.kill()

    def kill(self) -> None:
        """Kill the process that serves the mount: the folder is then dead, not empty."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
