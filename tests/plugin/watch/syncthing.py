"""Real Syncthing, headless and on loopback alone: one instance is the phone, another the server."""

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.plugin.watch.harness import until
from tests.plugin.watch.webdav import free_port

NO_SYNCTHING = "syncthing is not installed (apt install syncthing)"
ALONE = {
    "globalAnnounceEnabled": "false", "localAnnounceEnabled": "false", "relaysEnabled": "false",
    "natEnabled": "false", "startBrowser": "false", "urAccepted": "-1", "autoUpgradeIntervalH": "0",
    "crashReportingEnabled": "false", "reconnectionIntervalS": "1", "stunKeepaliveStartS": "0",
}  # fmt: skip
"""Nothing leaves this machine, and a peer that was killed is met again soon."""


class Syncthing:
    """One instance, and the machine it is on: a home folder."""

    def __init__(self, home: Path, name: str) -> None:
        if shutil.which("syncthing") is None:
            pytest.skip(NO_SYNCTHING)
        self.home, self.name, self.log = home, name, home / "syncthing.log"
        home.mkdir(parents=True)
        kept = {key: text for key, text in os.environ.items() if not key.startswith(("XDG_", "ST"))}
        self.environment = kept | {"HOME": str(home)}
        self.run("syncthing", "generate", "--skip-port-probing", "--no-default-folder")
        self.address = f"127.0.0.1:{free_port()}"
        self._page = f"127.0.0.1:{free_port()}"
        self._key = self._alone()
        self.id = self.run("syncthing", "--device-id").strip()
        self._running: subprocess.Popen[bytes] | None = None

    def run(self, *command: str, **more: str) -> str:
        """Run a command on this machine and return what it says."""
        done = subprocess.run(
            command,
            env=self.environment | more,
            cwd=self.home,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                ["syncthing", "serve", "--no-browser"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                env=self.environment | {"STMONITORED": "yes"},  # one process, not two
            )  # fmt: skip
        running = self._running
        until(lambda: running.poll() is not None or self._answers())
        assert running.poll() is None, self.log.read_text("utf-8", "replace")[-2000:]

    def kill(self) -> None:
        """Kill it by SIGKILL."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def ask(self, path: str, *, post: bool = False) -> Any:
        """Ask the interface for programs (REST)."""
        request = urllib.request.Request(
            f"http://{self._page}/rest/{path}",
            data=b"" if post else None,
            headers={"X-API-Key": self._key},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def scan(self, *folders: str) -> None:
        """Have folders looked through now, not when ten seconds have passed without a change."""
        for folder in folders:
            self.ask(f"db/scan?folder={folder}", post=True)

    def share(self, folder: str, place: Path, kind: str, peer: "Syncthing") -> None:
        """Do what a user does in the app: share a folder with a peer."""
        place.mkdir(parents=True, exist_ok=True)
        self.run("syncthing", "cli", "config", "folders", "add", "--id", folder, "--path",
                 str(place), "--type", kind)  # fmt: skip
        self.run("syncthing", "cli", "config", "folders", folder, "devices", "add",
                 "--device-id", peer.id)  # fmt: skip

    def meet(self, peer: "Syncthing") -> None:
        """Add a peer, which is found by its address since nobody announces anything here."""
        self.run("syncthing", "cli", "config", "devices", "add", "--device-id", peer.id,
                 "--name", peer.name)  # fmt: skip
        self.find(peer)

    def find(self, peer: "Syncthing") -> None:
        """Say where a peer is that has been added."""
        self.run("syncthing", "cli", "config", "devices", peer.id, "addresses", "0", "set",
                 f"tcp://{peer.address}")  # fmt: skip

    def _answers(self) -> bool:
        try:
            return bool(self.ask("system/ping"))
        except OSError:
            return False

    def _alone(self) -> str:
        """Have it listen on loopback alone and tell nobody; return the key to its interface."""
        (file,) = self.home.rglob("config.xml")
        config = ElementTree.parse(file)
        options, page = config.find("options"), config.find("gui")
        assert options is not None and page is not None
        for name, value in (ALONE | {"listenAddress": f"tcp://{self.address}"}).items():
            found = options.find(name)
            one = ElementTree.SubElement(options, name) if found is None else found
            one.text = value
        address, key = page.find("address"), page.find("apikey")
        assert address is not None and key is not None and key.text
        address.text = self._page
        config.write(file)
        return key.text
