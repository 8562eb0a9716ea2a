"""A local server lets nobody in but the browser of the user who has its link."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photocloak.plugin.server import ByLink, Guard, LocalServer, peers
from photocloak.plugin.server.guard import HEADERS

HUNG = 60.0
"""Seconds after which something will not happen any more."""


def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """Say what was asked for, and try to have it kept in a cache."""
    start("200 OK", [("Content-Type", "text/plain"), ("cache-control", "public, max-age=9999")])
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}".encode()]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(app) as one:
        yield one


def ask(
    server: LocalServer, path: str | None = None, *, method: str = "GET", **headers: str
) -> tuple[int, str, dict[str, str]]:
    """Send a request; `Host` and `Origin` as a browser would, unless `headers` say otherwise."""
    way = urlsplit(server.link)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.putrequest(method, way.path if path is None else path, skip_host=True)
        for name, value in ({"Host": way.netloc} | headers).items():
            if value:
                connection.putheader(name, value)
        if method == "POST":
            connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def test_the_link_opens_it(server: LocalServer) -> None:
    status, body, headers = ask(server)
    assert (status, body) == (200, "GET /")
    assert {name: headers.get(name) for name, _ in HEADERS} == dict(HEADERS)
    assert headers["Cache-Control"] == "no-store"


def test_only_the_loopback_interface_is_listened_on(server: LocalServer) -> None:
    rows = [line.split() for line in peers.TABLES[0].read_text().splitlines()[1:]]
    listening = [one[1] for one in rows if one[3] == "0A" and one[1].endswith(f"{server.port:04X}")]
    assert listening == [f"0100007F:{server.port:04X}"]


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:{port}",
     "LOCALHOST:{port}.", "[::1]:{port}", "0.0.0.0:{port}",
     "127.0.0.1:{port}, evil", "@127.0.0.1:{port}"],
)  # fmt: skip
def test_another_host_is_refused(server: LocalServer, host: str) -> None:
    status, body, headers = ask(server, Host=host.format(port=server.port))
    assert status in {400, 403} and "GET" not in body
    if status == 403:
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path", ["/", "", "//", "/x/", "/{token}", "/{cut}/", "/{token}x/", "/x/{token}/", "/?{token}/"]
)
def test_without_the_whole_token_nothing_is_told(server: LocalServer, path: str) -> None:
    token = urlsplit(server.link).path.strip("/")
    status, body, _ = ask(server, path.format(token=token, cut=token[:-1]) or "*")
    assert status == 403 and token not in body


def test_tokens_are_long_and_never_twice() -> None:
    tokens = set()
    for _ in range(3):
        with LocalServer(app) as one:
            tokens.add(urlsplit(one.link).path.strip("/"))
    assert len(tokens) == 3 and min(map(len, tokens)) >= 43


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1",
     "http://127.0.0.1:1", "http://127.0.0.1:{port}.evil", "http://u@127.0.0.1:{port}",
     "http://localhost:{port}", "http://127.0.0.1:{port}/"],
)  # fmt: skip
def test_what_changes_something_comes_from_our_own_page(
    server: LocalServer, method: str, origin: str
) -> None:
    status, _, headers = ask(server, method=method, Origin=origin.format(port=server.port))
    assert status == 403 and "Access-Control-Allow-Origin" not in headers


def test_our_own_page_may(server: LocalServer) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    assert ask(server, method="POST", Origin=origin)[:2] == (200, "POST /")


def test_another_site_does_not_even_read(server: LocalServer) -> None:
    assert ask(server, Origin="http://evil.example")[0] == 403


@given(
    host=st.text(st.characters(codec="latin-1"), max_size=40),
    path=st.text(st.characters(codec="latin-1"), max_size=40),
    origin=st.none() | st.text(st.characters(codec="latin-1"), max_size=40),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT"]),
)
def test_whatever_is_sent_the_app_does_not_see_it(
    host: str, path: str, origin: str | None, method: str
) -> None:
    seen: list[object] = []

    def inner(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        seen.append(environ)
        return []

    def started(*_: object) -> Callable[[bytes], object]:
        return seen.append

    guard = Guard(inner, access=ByLink("t" * 43), hosts=["127.0.0.1:8000"])
    for real_host, real_path in ((host, f"/{'t' * 43}/"), ("127.0.0.1:8000", path)):
        environ = {"REQUEST_METHOD": method, "HTTP_HOST": real_host, "PATH_INFO": real_path}
        if origin is not None:
            environ["HTTP_ORIGIN"] = origin
        assert guard(environ, started) != []
    assert seen == []


def test_another_users_program_is_refused(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    monkeypatch.setattr(peers, "_connections", lambda: [])
    status, body, _ = ask(server)
    assert status == 403 and "another user" in body


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_real_other_user_is_refused(server: LocalServer) -> None:
    way = urlsplit(server.link)
    program = (
        "import encodings.idna, os, socket\n"  # before it may no longer read Python
        "os.setuid(65534)\n"
        f"with socket.create_connection(('127.0.0.1', {server.port})) as one:\n"
        f"    one.sendall(b'GET {way.path} HTTP/1.0\\r\\nHost: {way.netloc}\\r\\n\\r\\n')\n"
        "    print(one.recv(100).decode().split()[1])\n"
    )
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "403"


@contextmanager
def asking(server: LocalServer, path: str | None = None) -> Iterator[list[float]]:
    """Ask again and again in the background, and give the times at which there were answers."""
    answered: list[float] = []
    over = threading.Event()

    def again() -> None:
        while not over.wait(0.05):
            began = time.monotonic()
            with suppress(OSError, http.client.HTTPException):  # it has ended
                ask(server, path)
                answered.append(began)

    asker = threading.Thread(target=again)
    asker.start()
    try:
        yield answered
    finally:
        over.set()
        asker.join()


def ends(server: LocalServer) -> bool:
    """Tell whether a server ends by itself, how busy the machine may be."""
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    running.join(HUNG)
    return not running.is_alive()


def ask_for_a_while(server: LocalServer, path: str | None = None) -> None:
    """Ask every moment for three times as long as the server's patience."""
    for _ in range(12):
        time.sleep(0.1)
        with suppress(OSError, http.client.HTTPException):  # it may have ended
            ask(server, path)


def test_it_ends_when_nobody_has_looked_for_long() -> None:
    with LocalServer(app, patience=1.0) as one:
        with asking(one) as answered:
            while len(answered) < 5:
                time.sleep(0.01)
        assert ends(one) and time.monotonic() - answered[-1] >= 1.0
        refused = one.port
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", refused), timeout=1)


def test_requests_that_are_refused_do_not_keep_it_alive() -> None:
    with LocalServer(app, patience=0.4) as one, asking(one, "/wrong/") as answered:
        assert ends(one)
    assert answered


def test_it_does_not_end_while_there_is_work() -> None:
    left = [3]

    def busy() -> bool:
        left[0] -= 1
        return left[0] > 0

    with LocalServer(app, patience=0.2, busy=busy) as one:
        one.run()
    assert left[0] <= 0


def test_a_large_request_is_refused(server: LocalServer) -> None:
    way = urlsplit(server.link)
    head = (
        f"POST {way.path} HTTP/1.1\r\nHost: {way.netloc}\r\nOrigin: http://{way.netloc}\r\n"
        "Content-Length: 99999999\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(200)
