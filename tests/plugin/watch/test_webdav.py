"""A mounted folder of a WebDAV server: no events, no links, and it comes and goes."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from photocloak.plugin import Status
from photocloak.plugin.storage.written_files import sha256_of, signature_of
from tests.conftest import NO_MOUNT
from tests.markdown import BY_NAME, blocks
from tests.plugin.fakes import LARGE, PORTRAIT, noisy, write_photo
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


@pytest.fixture
def ada(place: Place, server: Server) -> Iterator[Path]:
    """Give the home of a user who has done what the page says; her bucket is a folder."""
    home = place.home / "ada"
    (server.folder / "Photos").mkdir()
    server.environment |= {
        "HOME": str(home), "RCLONE_CONFIG_BUCKET_TYPE": "alias",
        "RCLONE_CONFIG_BUCKET_REMOTE": str(place.home / "bucket"),
    }  # fmt: skip
    home.mkdir()
    yield home
    place.end()
    subprocess.run(["fusermount3", "-u", "-z", home / "server"], check=False, capture_output=True)


def do(server: Server, line: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-euc", line], env=server.environment, check=False, capture_output=True, text=True
    )


def test_the_page_as_it_is_written(place: Place, server: Server, ada: Path) -> None:
    mounting, carrying, taking_down = blocks(BY_NAME["docs/howto/home-server.md"], "sh")
    install, config, made, mounted, watch = mounting.strip().splitlines()
    assert install.startswith("sudo ")
    assert watch == "photocloak watch ~/server -o ~/cloaked --preset web"
    for line in (config, made):
        assert do(server, line).returncode == 0, do(server, line).stderr
    done = do(server, mounted)
    if not os.path.ismount(ada / "server"):
        pytest.skip(f"{NO_MOUNT} by FUSE: {done.stderr[-200:]}")
    place.inbox, place.out = ada / "server", ada / "cloaked"
    daemon = place.start()
    write_photo(server.folder / "Photos" / "trip" / "a.png", *PORTRAIT)
    write_photo(server.folder / "Photos" / "b.png", *PORTRAIT, 1)
    place.finished("trip/a.png", "b.png")
    with pytest.raises(OSError, match="Read-only"):
        (ada / "server" / "b.png").unlink()

    bucket = place.home / "bucket" / "photos"
    (place.out / ".photocloak-1-ab.part").write_bytes(b"half")
    (place.out / "empty.png").write_bytes(b"")
    config, check, copy = carrying.strip().splitlines()
    assert do(server, config).returncode == 0 and check == "photocloak check ~/cloaked"
    # Killed in the middle: the same command again makes it whole.
    noisy(place.out / "large.png", *LARGE)
    killed = do(server, f"timeout -s KILL 2 {copy} --bwlimit 200k --transfers 1")
    assert killed.returncode == 137
    assert do(server, copy).returncode == 0
    assert files(bucket) == ["b.png", "large.png", "trip/a.png"]
    assert all(sha256_of(bucket / one) == sha256_of(place.out / one) for one in files(bucket))

    (place.out / "b.png").unlink()
    assert do(server, copy).returncode == 0 and "b.png" in files(bucket)
    (down,) = taking_down.strip().splitlines()
    assert do(server, down).returncode == 0 and files(bucket) == ["large.png", "trip/a.png"]
    for number in range(20):
        (place.out / f"{number}.jpg").write_bytes(b"cloaked")
    assert do(server, down).returncode == 0 and len(files(bucket)) == 22
    assert place.stop(daemon) == 0
    place.out.rename(ada / "away")
    place.out.mkdir()
    assert do(server, down).returncode != 0
    assert len(files(bucket)) >= 10, "an empty folder does not empty the bucket"
