"""A daemon in a process of its own, a folder to watch, and what came of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from photocloak.plugin import Folders
from photocloak.plugin.watch.journal import Journal, JournalEntry, State
from tests.plugin.executors.test_process_pool import HUNG
from tests.plugin.fakes import PORTRAIT, write_photo

ROOT = Path(__file__).parents[3]
# Takes root's right to pass over permissions.
PLAIN = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
OVER = {State.DONE, State.HELD, State.FAILED}


class Place:
    """A user's watched folder, output folder and daemons."""

    def __init__(self, home: Path) -> None:
        self.home, self.inbox, self.out = home, home / "in", home / "out"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.folders = Folders.of_user()
        self.journal = Journal.of_user(self.folders)
        self.log = home / "log"
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        *,
        folders: Sequence[Path] = (),
        output: Path | None = None,
        plain: bool = False,
        wait: bool = True,
        **options: Any,
    ) -> subprocess.Popen[bytes]:
        options["folders"] = [str(one) for one in folders or [self.inbox]]
        options["output"] = str(output or self.out)
        before = self.said().count("\nwatching ")
        with self.log.open("ab") as log:
            log.write(b"\n")
            log.flush()
            daemon = subprocess.Popen(
                [
                    *(PLAIN if plain else ()),
                    sys.executable,
                    "-m",
                    "tests.plugin.watch.fake_daemon",
                    json.dumps(options),
                ],
                cwd=ROOT,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        self._running.append(daemon)
        if wait:
            until(lambda: self.said().count("\nwatching ") > before or daemon.poll() is not None)
        return daemon

    def stop(self, daemon: subprocess.Popen[bytes]) -> int:
        daemon.send_signal(signal.SIGTERM)
        return daemon.wait(HUNG)

    def end(self) -> None:
        for daemon in self._running:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()

    def put(self, name: str, seed: int = 0, size: tuple[int, int] = PORTRAIT) -> Path:
        """Put a photo as a good program does: beside, then by rename."""
        hidden = write_photo(self.inbox / ".staging" / Path(name).name, *size, seed)
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return hidden.rename(path)

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def entries(self) -> dict[str, JournalEntry]:
        """Return the journal by path in the watched folder."""
        if not self.journal.exists():
            return {}
        return {
            str(one.source.relative_to(self.inbox)) if one.source.is_relative_to(self.inbox)
            else str(one.source): one
            for one in self.journal.entries()
        }  # fmt: skip

    def states(self) -> dict[str, str]:
        return {name: str(one.state) for name, one in self.entries().items()}

    def finished(self, *names: str, within: float = HUNG) -> dict[str, JournalEntry]:
        """Wait until the journal says how it ended for these photos."""
        until(
            lambda: all(n in (e := self.entries()) and e[n].state in OVER for n in names),
            within,
            lambda: f"{self.states()}\n{self.said()}",
        )
        return self.entries()

    def written(self) -> list[str]:
        return files(self.out)


def files(folder: Path) -> list[str]:
    """Return everything in a folder, hidden files too."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def until(
    true: Callable[[], bool], within: float = HUNG, tell: Callable[[], str] = lambda: ""
) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"waited {within} s in vain: {tell()}"
        time.sleep(0.05)


def decodes(path: Path) -> bool:
    with Pillow.open(path) as photo:
        photo.load()
    return True
