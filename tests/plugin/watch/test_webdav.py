"""A mounted folder of a WebDAV server: no events, no links, and it comes and goes."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from photocloak.plugin import Status
from photocloak.plugin.storage.written_files import sha256_of, signature_of
from tests.plugin.fakes import PORTRAIT, write_photo
from tests.plugin.watch.disks import Disk
from tests.plugin.watch.harness import Place, decodes, files, until
from tests.plugin.watch.webdav import Mount, Server


@pytest.fixture
def server(place: Place) -> Iterator[Server]:
    server = Server(place.home / "webdav")
    server.start()
    yield server
    place.end()
    server.kill()


@pytest.fixture
def mount(place: Place, server: Server) -> Iterator[Mount]:
    mount = Mount(server, place.home / "mounted")
    mount.mount()
    yield mount
    place.end()
    mount.unmount()


def trouble(place: Place) -> str:
    return place.journal.daemons()[0].trouble or ""


def test_photos_come_from_a_server_that_dies_and_comes_back(
    place: Place, server: Server, mount: Mount
) -> None:
    place.inbox = mount.folder
    write_photo(server.folder / "a.png", *PORTRAIT)
    daemon = place.start(pace={"rescan": 20})
    place.finished("a.png")
    write_photo(server.folder / "trip" / "b.png", *PORTRAIT, 1)
    place.finished("trip/b.png")

    server.kill()
    write_photo(server.folder / "c.png", *PORTRAIT, 2)
    until(lambda: "cannot be" in place.said(), tell=place.said)
    assert daemon.poll() is None
    server.start()
    found = place.finished("c.png")
    assert {one.status for one in found.values()} == {Status.CLOAKED}
    assert place.written() == ["a.png", "c.png", "trip/b.png"]

    mount.kill()
    until(lambda: "cannot be looked into" in trouble(place), tell=place.said)
    mount.unmount()
    write_photo(server.folder / "d.png", *PORTRAIT, 3)
    mount.mount()
    place.finished("d.png")
    until(lambda: trouble(place) == "", tell=place.said)
    assert place.stop(daemon) == 0
    assert "failed" not in place.said()


def test_what_was_fetched_once_is_not_fetched_again_after_a_mount(
    place: Place, server: Server, mount: Mount
) -> None:
    write_photo(server.folder / "a.png", *PORTRAIT)
    before = signature_of(mount.folder / "a.png")
    mount.unmount()
    other = Disk("tmpfs", place.home / "images", place.home / "other")
    other.mount()  # which gets the number that the mount had
    try:
        mount.mount()
        assert before is not None and signature_of(mount.folder / "a.png") == before
    finally:
        other.close()


def test_cloaked_photos_go_to_a_server_that_dies_and_comes_back(
    place: Place, server: Server, mount: Mount
) -> None:
    place.out = mount.folder
    daemon = place.start()
    place.put("a.png")
    place.put("trip/b.png", 1)
    place.finished("a.png", "trip/b.png")
    has(server, "a.png", "trip/b.png")
    server.kill()
    place.put("c.png", 2)
    until(lambda: trouble(place) != "", tell=place.said)
    assert place.states()["c.png"] == "pending"
    server.start()
    place.finished("c.png")
    first = place.entries()["a.png"].sha256
    place.put("a.png", 3)
    until(lambda: place.entries()["a.png"].sha256 != first)
    made = place.finished("a.png")["a.png"].made_sha256
    has(server, "a.png", "c.png", "trip/b.png")
    until(lambda: sha256_of(server.folder / "a.png") == made)
    assert daemon.poll() is None and place.stop(daemon) == 0


def has(server: Server, *names: str) -> None:
    """Wait until these photos and nothing else are on the server, each of them whole."""

    def true() -> bool:
        there = files(server.folder)
        with suppress(OSError):  # what is on its way has a name already, there
            return there == list(names) and all(decodes(server.folder / one) for one in there)
        return False

    until(true, 120, lambda: str(files(server.folder)))
