"""A receiver in a process of its own, and somebody who asks it."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from photocloak.plugin import Folders
from photocloak.plugin.watch.journal import Journal
from tests.plugin.executors.test_process_pool import HUNG
from tests.plugin.fakes import PORTRAIT, picture
from tests.plugin.watch.harness import until

ROOT = Path(__file__).parents[3]
EDGE = "photocloak-test-edge"
FAKE = ("-m", "tests.plugin.receiver.fake_serve")
REAL = ("-c", "from photocloak.plugin.main import main; main()", "serve")


def photo(seed: int = 0, size: tuple[int, int] = PORTRAIT, kind: str = "PNG") -> bytes:
    """Return the bytes of a photo of which the fakes know what is in it by its size."""
    data = io.BytesIO()
    Pillow.fromarray(picture(*size, seed)).save(data, kind)
    return data.getvalue()


def form(
    data: bytes | None, name: str = "a.png", **fields: str | Sequence[str]
) -> tuple[bytes, str]:
    """Return the body of a form and its type."""
    parts = []
    for key, value in fields.items():
        for one in [value] if isinstance(value, str) else value:
            head = f'Content-Disposition: form-data; name="{key}"\r\n\r\n'
            parts.append(head.encode() + one.encode())
    if data is not None:
        head = f'Content-Disposition: form-data; name="photo"; filename="{name}"\r\n'
        parts.append(head.encode() + b"Content-Type: image/png\r\n\r\n" + data)
    marked = b"".join(b"--" + EDGE.encode() + b"\r\n" + one + b"\r\n" for one in parts)
    return marked + f"--{EDGE}--\r\n".encode(), f"multipart/form-data; boundary={EDGE}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def outcome(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.headers["Photocloak-Outcome"])
        return told


class Receiver:
    """A server of one user."""

    def __init__(self, home: Path) -> None:
        self.home, self.folders = home, Folders.of_user()
        self.data = self.folders.data
        self.received = self.data / "received"
        self.journal = Journal.of_receiver(self.folders)
        self.log = home / "serve.log"
        self.port = _free_port()
        self.running: list[subprocess.Popen[bytes]] = []

    @property
    def token(self) -> str:
        return (self.data / "receiver.token").read_text().strip()

    def start(self, *options: str, program: Sequence[str] = FAKE) -> None:
        before = self.said().count("listening on")
        where = () if "--socket" in options else ("--port", str(self.port))
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [sys.executable, *program, *where, *options],
                cwd=ROOT,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        self.running.append(server)
        until(lambda: self.said().count("listening on") > before or server.poll() is not None)
        assert server.poll() is None, self.said()

    def kill(self) -> None:
        self.running[-1].kill()
        self.running[-1].wait()

    def stop(self) -> int:
        self.running[-1].send_signal(signal.SIGTERM)
        return self.running[-1].wait(HUNG)

    def end(self) -> None:
        for one in self.running:
            if one.poll() is None:
                one.kill()
            one.wait()

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str | None = None, **headers: str
    ) -> Answer:
        """Ask; headers of the form `If_None_Match`; an empty one is not sent."""
        sent = {"Authorization": f"Bearer {self.token}"}
        if kind is not None:
            sent["Content-Type"] = kind
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HUNG)
        try:
            connection.request(
                method, path, body or None, {name: one for name, one in sent.items() if one}
            )
            answer = connection.getresponse()
            headers = {name.title(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()

    def send(
        self, data: bytes | None, to: str = "/cloak", name: str = "a.png", **fields: Any
    ) -> Answer:
        return self.ask("POST", to, *form(data, name, **fields))

    def finished(self, job: str) -> Any:
        """Wait for a job's outcome, and return what is told of it."""
        told: list[Any] = [None]

        def over() -> bool:
            with suppress(OSError):
                told[0] = self.ask("GET", f"/jobs/{job}").json
            return bool(told[0]) and told[0].get("state") in {"done", "held", "failed"}

        until(over, tell=lambda: f"{told[0]}\n{self.said()}")
        return told[0]

    def files(self) -> list[str]:
        """Return everything that lies in the private folders."""
        return sorted(str(p.relative_to(self.received)) for p in self.received.rglob("*.*"))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
