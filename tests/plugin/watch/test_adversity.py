"""What hinders all photos fails none: they wait, the status says for what, and it goes on."""

import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from photocloak.plugin import Status
from tests.plugin.fakes import BARE, write_photo
from tests.plugin.watch.harness import Place, decodes, files, until


@pytest.fixture
def mounted(place: Place) -> Iterator[Path]:
    """Mount a small file system at the output folder, or skip."""
    place.out.mkdir()
    try:
        mount(place.out)
    except subprocess.CalledProcessError:
        pytest.skip("nothing can be mounted here (not root, or in a container)")
    yield place.out
    place.end()
    subprocess.run(["umount", "--lazy", place.out], check=False, capture_output=True)


def mount(folder: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], check=True)


def trouble(place: Place) -> str:
    return place.journal.daemons()[0].trouble or ""


def nothing_but(place: Place, *names: str) -> bool:
    """Tell whether these and nothing else are in the output folder, each of them whole."""
    return place.written() == sorted(names) and all(decodes(place.out / name) for name in names)


def test_disk_full(place: Place, mounted: Path) -> None:
    place.start()
    place.put("a.png")
    place.finished("a.png")
    filler = mounted / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(4_000_000))
    place.put("b.png", 1)
    place.put("c.png", 2)
    until(lambda: trouble(place) != "")
    time.sleep(1.0)
    until(lambda: set(place.states().values()) == {"done", "pending"})
    assert sorted(place.written()) == ["a.png", "filler"], "nobody's photo is to blame"
    filler.unlink()
    place.finished("b.png", "c.png")
    assert nothing_but(place, "a.png", "b.png", "c.png")
    until(lambda: trouble(place) == "")


def test_output_folder_read_only(place: Place, mounted: Path) -> None:
    place.start()
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    place.put("a.png")
    until(lambda: "may not be written to" in trouble(place))
    assert place.states() == {"a.png": "pending"}
    subprocess.run(["mount", "-o", "remount,rw", mounted], check=True)
    place.finished("a.png")
    assert nothing_but(place, "a.png")


def test_output_folder_unmounted(place: Place, mounted: Path) -> None:
    daemon = place.start()
    place.put("a.png")
    place.finished("a.png")
    subprocess.run(["umount", "--lazy", mounted], check=True)
    place.put("b.png", 1)
    until(lambda: "unmounted" in trouble(place))
    assert place.states()["b.png"] == "pending"
    assert files(place.out) == [], "nothing is put into the folder below the mount"
    mount(mounted)
    until(lambda: place.states()["b.png"] == "done", tell=place.said)
    assert nothing_but(place, "b.png")
    assert place.stop(daemon) == 0


def test_permission_revoked(place: Place) -> None:
    place.start(plain=True)
    place.put("a.png")
    place.finished("a.png")
    place.out.chmod(0o500)
    secret = write_photo(place.home / "b.png", *BARE)
    secret.chmod(0)
    secret.rename(place.inbox / "b.png")
    place.put("c.png", 2)
    until(lambda: trouble(place) != "", tell=place.said)
    assert place.states()["c.png"] == "pending"
    place.out.chmod(0o755)
    found = place.finished("b.png", "c.png")
    assert found["b.png"].status is Status.FAILED
    assert "cannot be read (Permission denied)" in (found["b.png"].reason or "")
    assert place.written() == ["a.png", "c.png"]
    (place.inbox / "b.png").chmod(0o644)
    until(lambda: place.states()["b.png"] == "held")


def test_clock_set_back(place: Place) -> None:
    clock = place.home / "clock"
    clock.write_text("0")
    daemon = place.start(clock=str(clock))
    place.put("a.png")
    place.put("b.png", 1)
    first = place.finished("a.png", "b.png")
    clock.write_text("-1e8")  # three years
    old = place.put("old.png", 2)
    os.utime(old, (1, 1))
    place.put("a.png", 3)
    until(lambda: place.finished("a.png", "old.png")["a.png"].sha256 != first["a.png"].sha256)
    place.finished("a.png")
    assert place.stop(daemon) == 0
    clock.write_text("-2e8")
    place.start(clock=str(clock))
    place.put("c.png", 4)
    found = place.finished("c.png")
    assert found["c.png"].finished is not None and found["b.png"].finished is not None
    assert found["c.png"].finished < found["b.png"].finished
    assert found["b.png"] == first["b.png"], "it was not done again"
    assert nothing_but(place, "a.png", "b.png", "c.png", "old.png")


def test_journal_locked_by_another_process(place: Place) -> None:
    daemon = place.start()
    place.put("a.png")
    place.finished("a.png")
    with closing(sqlite3.connect(place.journal.database.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        place.put("b.png", 1)
        until(lambda: "waiting: " in place.said() and "locked" in place.said())
        assert daemon.poll() is None
        assert place.written() == ["a.png"]
        other.rollback()
    place.finished("b.png")
    assert nothing_but(place, "a.png", "b.png")


def test_journal_locked_at_the_start_and_while_it_is_stopped(place: Place) -> None:
    place.stop(place.start())
    with closing(sqlite3.connect(place.journal.database.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        daemon = place.start(wait=False)
        until(lambda: "waiting: " in place.said())
        assert place.stop(daemon) == 0


@pytest.mark.parametrize("moment", ["before", "while it runs"])
def test_journal_corrupt(place: Place, moment: str) -> None:
    place.put("a.png")
    daemon = place.start()
    made = place.finished("a.png")["a.png"]
    if moment == "before":
        place.stop(daemon)
    file = place.journal.database.path
    file.write_bytes(b"not a database, " * 1000)
    if moment == "before":
        daemon = place.start(wait=False)
    place.put("b.png", 1)
    assert daemon.wait(30) == 3
    assert "is damaged" in place.said() and "move it away" in place.said()
    assert place.written() == ["a.png"]
    file.rename(file.with_suffix(".damaged"))
    place.start()
    again = place.finished("a.png", "b.png")
    assert nothing_but(place, "a.png", "b.png"), "in the place of the earlier output"
    assert again["a.png"].made_sha256 == made.made_sha256


def test_journal_of_a_newer_version(place: Place) -> None:
    place.stop(place.start())
    with closing(sqlite3.connect(place.journal.database.path)) as other:
        other.execute("PRAGMA user_version = 99")
    place.put("a.png")
    assert place.start(wait=False).wait(30) == 3
    assert "newer photocloak" in place.said()
    assert place.written() == []


def test_a_watched_folder_that_goes_and_comes_back(place: Place) -> None:
    place.start()
    place.put("a.png")
    place.finished("a.png")
    place.inbox.rename(place.home / "away")
    time.sleep(1.5)
    place.inbox.mkdir()
    time.sleep(1.5)
    shutil.copy(place.home / "away" / "a.png", place.inbox / "b.png")
    place.put("c.png", 1)
    place.finished("b.png", "c.png")
    assert nothing_but(place, "a.png", "b.png", "c.png")


def test_renames_and_removals_while_photos_wait(place: Place) -> None:
    chance = random.Random(5)
    for number in range(16):
        place.put(f"{number}.png", number)
    place.start()
    until(lambda: "pending" in place.states().values())
    for number in range(0, 16, 2):
        with_name = place.inbox / f"{number}.png"
        if chance.random() < 0.5:
            with_name.unlink()
        else:
            (place.inbox / "moved").mkdir(exist_ok=True)
            with_name.rename(place.inbox / "moved" / with_name.name)
    there = [name for name in files(place.inbox) if not name.startswith(".")]
    found = place.finished(*there, within=60)
    # Fakes with few steps find a few too weak.
    assert {found[name].status for name in there} <= {Status.CLOAKED, Status.TOO_WEAK}
    until(lambda: set(place.states().values()) <= {"done", "held"})
