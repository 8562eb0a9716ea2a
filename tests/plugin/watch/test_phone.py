"""docs/howto/phone.md, as it is written: from one Syncthing through the daemon and back to it."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin.fakes import BARE, PORTRAIT, write_photo
from tests.plugin.watch.harness import Place, decodes, files, until
from tests.plugin.watch.phone import Home, photos


@pytest.fixture
def home(place: Place) -> Iterator[Home]:
    home = Home(place)
    yield home
    home.end()


def hashes(folder: Path) -> set[str]:
    return {hashlib.sha256((folder / one).read_bytes()).hexdigest() for one in files(folder)}


def test_the_page_as_it_is_written(home: Home, place: Place) -> None:
    home.set_up()
    write_photo(home.camera / "a.png", *PORTRAIT)
    write_photo(home.camera / "trip" / "b.png", *PORTRAIT, 1)
    write_photo(home.camera / "nobody.png", *BARE)
    clean = hashes(home.camera)
    daemon = place.start()
    home.has("a.png")
    home.has("trip/b.png")
    assert place.finished("nobody.png")["nobody.png"].state == "held"

    # Killed on all sides; what comes meanwhile is done afterwards.
    daemon.kill()
    home.server.kill()
    home.phone.kill()
    write_photo(home.camera / "c.png", *PORTRAIT, 2)
    home.phone.start()
    home.server.start()
    place.start()
    home.has("c.png")

    # Edited, deleted, and what must not be taken.
    write_photo(home.camera / "a.png", *PORTRAIT, 3)
    conflict = "a.sync-conflict-20261127-180000-ABCDEFG.png"
    shutil.copy(home.camera / "trip" / "b.png", home.camera / conflict)
    (home.camera / "c.png").unlink()
    clean |= hashes(home.camera)
    edited = hashlib.sha256((home.camera / "a.png").read_bytes()).hexdigest()
    home.phone.scan("camera")
    until(lambda: place.entries()["a.png"].sha256 == edited, 300, place.said)
    place.finished("a.png")
    home.has("a.png")
    until(lambda: (place.inbox / conflict).exists() and not (place.inbox / "c.png").exists(), 300)
    assert (home.album / "c.png").exists(), "what is published stays until it is deleted there"
    (place.out / "c.png").unlink()
    home.has("c.png", gone=True)

    # What lies on the phone beside the cloaked ones goes nowhere.
    shutil.copy(home.camera / "a.png", home.album / "clean.png")
    home.phone.scan("cloaked")
    write_photo(home.camera / "d.png", *PORTRAIT, 4)
    home.has("d.png")
    shown = photos(place.out)
    assert shown == ["a.png", "d.png", "trip/b.png"]
    assert all(decodes(place.out / one) for one in shown)
    assert not clean & hashes(place.out)
    (home.album / "clean.png").unlink()
    assert not clean & hashes(home.album)
    assert "sync-conflict" not in str(place.states())
