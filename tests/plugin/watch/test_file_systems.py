"""The daemon on real file systems: names they do not take, full, read-only, gone and back."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from photocloak.plugin import Status
from tests.plugin.fakes import LARGE, PORTRAIT, noisy, write_photo
from tests.plugin.watch.disks import MB, Disk
from tests.plugin.watch.harness import Place, decodes, files, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")

ALL = ("tmpfs", "ext4", "vfat", "exfat", "ntfs")
NO_COLON = {"vfat", "exfat", "ntfs"}


@pytest.fixture
def disk(request: pytest.FixtureRequest, place: Place) -> Iterator[Disk]:
    """Mount a file system at the output folder."""
    disk = Disk(request.param, place.home / "images", place.out)
    disk.mount()
    yield disk
    place.end()
    disk.close()


def trouble(place: Place) -> str:
    return place.journal.daemons()[0].trouble or ""


def photos(place: Place) -> list[str]:
    """Return what was written; all of it is whole, and no folder is left without a photo."""
    found = [name for name in place.written() if name != "filler"]
    assert all(decodes(place.out / name) for name in found)
    empty = [one for one in place.out.rglob("*") if one.is_dir() and not any(one.iterdir())]
    assert [one.name for one in empty if one.name != "lost+found"] == []
    return found


@pytest.mark.parametrize("disk", ALL, indirect=True)
def test_names_that_it_does_not_take_fail_alone(place: Place, disk: Disk) -> None:
    names = ["10:30.png", "at 9:00/new/b.png", "a.png", "copy:of a.png", "long" * 60 + ".png"]
    for number, name in enumerate(names):
        if name.startswith("copy"):
            shutil.copy(place.inbox / "a.png", place.inbox / name)
        else:
            place.put(name, number)
    daemon = place.start()
    found = place.finished(*names, within=150)
    late = place.put("late.png", 9)
    found |= place.finished("late.png", within=150)
    assert daemon.poll() is None and place.stop(daemon) == 0
    failed = {name for name in found if found[name].status is Status.FAILED}
    if disk.kind in NO_COLON:
        assert failed == {name for name in names if ":" in name}
        for name in failed:
            assert "does not take this name; rename it" in (found[name].reason or "")
    else:
        assert failed == set()
    assert photos(place) == sorted(set(found) - failed)
    assert late.exists() and place.said().rstrip().endswith(
        f"stopped: {6 - len(failed)} cloaked" + f" · {len(failed)} failed" * bool(failed)
        + " · 1 passed over: 1 hidden name"
    )  # fmt: skip


@pytest.mark.parametrize("disk", ALL, indirect=True)
def test_a_photo_that_is_too_large_for_it_waits_alone(place: Place, disk: Disk) -> None:
    disk.leave(int(1.6 * MB))
    noisy(place.inbox / "a large.png", *LARGE)
    place.put("b.png", 1)
    place.put("sub/c.png", 2)
    place.start()
    place.finished("b.png", "sub/c.png", within=150)
    until(lambda: place.states()["a large.png"] == "waiting", 100, place.said)
    assert photos(place) == ["b.png", "sub/c.png"]
    place.put("d.png", 3)
    place.finished("d.png", within=150)
    entry = place.entries()["a large.png"]
    assert "cannot be put into" in (entry.reason or "") and "full" in (entry.reason or "")
    assert trouble(place) == "", "the others need not wait"
    disk.fill.unlink()
    place.finished("a large.png", within=150)
    assert photos(place) == ["a large.png", "b.png", "d.png", "sub/c.png"]


@pytest.mark.parametrize("disk", ALL, indirect=True)
def test_full_then_read_only_then_gone_and_back(place: Place, disk: Disk) -> None:
    daemon = place.start()
    place.put("a.png")
    place.finished("a.png", within=150)
    disk.leave(0)
    for number, name in enumerate(("b.png", "sub/b.png")):
        place.put(name, number + 1)
    until(lambda: "full" in trouble(place), 100, place.said)
    time.sleep(0.5)
    until(lambda: set(place.states().values()) == {"done", "pending"}, 100, place.said)
    assert photos(place) == ["a.png"]
    disk.fill.unlink()
    place.finished("b.png", "sub/b.png", within=150)
    disk.unmount()
    place.put("c.png", 3)
    until(lambda: "unmounted" in trouble(place), 100, place.said)
    assert files(place.out) == [], "nothing is put into the folder below"
    disk.mount(read_only=True)
    until(lambda: "may not be written to" in trouble(place) or "read-only" in trouble(place), 100,
          place.said)  # fmt: skip
    assert place.states()["c.png"] == "pending"
    disk.unmount()
    disk.mount()
    place.finished("c.png", within=150)
    until(lambda: trouble(place) == "")
    assert photos(place) == ["c.png"]
    assert daemon.poll() is None and place.stop(daemon) == 0


def test_photos_come_from_a_disk_that_goes_and_comes_back(place: Place) -> None:
    source = Disk("exfat", place.home / "images", place.inbox)
    try:
        source.mount()
        write_photo(place.inbox / "a.png", *PORTRAIT)
        daemon = place.start()
        place.finished("a.png", within=150)
        source.unmount()
        time.sleep(1.5)
        source.mount()
        write_photo(place.inbox / "b.png", *PORTRAIT, 1)
        place.finished("b.png", within=150)
        assert place.written() == ["a.png", "b.png"] and place.states()["a.png"] == "done"
        assert place.stop(daemon) == 0
    finally:
        place.end()
        source.close()


def test_the_photo_itself_is_never_touched_on_a_disk_without_permissions(place: Place) -> None:
    disk = Disk("exfat", place.home / "images", place.home / "disk")
    try:
        disk.mount()
        photo = write_photo(disk.folder / "in" / "a.png", *PORTRAIT)
        before = photo.read_bytes()
        place.inbox = disk.folder / "in"
        place.start(folders=[place.inbox], output=disk.folder / "in" / "out")
        place.finished("a.png", within=150)
        assert files(place.inbox) == ["a.png", "out/a.png"]
        assert photo.read_bytes() == before
        assert Path(disk.folder / "in" / "out" / "a.png").read_bytes() != before
    finally:
        place.end()
        disk.close()
