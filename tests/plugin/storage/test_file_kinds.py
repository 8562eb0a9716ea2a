"""What a name says, the same for `photocloak cloak FOLDER` and the daemon."""

import os
from collections import Counter
from pathlib import Path

import pytest

from photocloak import exporters
from photocloak.plugin.storage.file_kinds import Kind, kind_of_file
from photocloak.plugin.storage.inputs import passed_over, search
from photocloak.plugin.watch.tree import Candidate, Tree

TAKEN = [
    "#1 birthday.jpg", "#.jpg", "wedding.part.2.jpg", "a.part.jpg", "b.tmp.jpg", "c.tmp-12.png",
    "~$me.jpg", "~.jpg", "$5.jpg", "@home.jpg", "-rf.jpg", "--.png", "a.sb-1.jpg", "x.download.jpg",
    "IMG.JPG", "a.jpeg", "a.JPEG", "a.jpe", "a.jfif", "a.JFIF", "a.hif", "a.HIF", "a.heic",
    "a.heics", "a.heifs", "a.avif", "a.avifs", "a.webp", "a.tiff", "a.mpo", " .jpg", "a .jpg",
    "a.crdownload.jpg", "~syncthing~a.jpg", "a.jpg.jpg", "a.mp4.jpg", "new\nline.jpg",
    "my sync-conflict.jpg", "a.sync-conflict-2024.jpg", "a conflicted copy.jpg",
    "Recycle.jpg", "eaDir.jpg",
    "sub/@home/a.jpg", "recycle/a.jpg", "wedding.part.2/a.jpg", "#1/a.jpg", "~/a.jpg", "$/a.jpg",
    "downloads/a.jpg", "trash/a.jpg", "a.jpg/b.jpg",
]  # fmt: skip

PASSED = {
    "a.jpg.part": Kind.PARTIAL, "a.Ab3xY9.jpg.part": Kind.PARTIAL, "a.jpg.crdownload": Kind.PARTIAL,
    "Unconfirmed 12345.crdownload": Kind.PARTIAL, "a.jpg.aria2": Kind.PARTIAL,
    "a.jpg.1234abcd.partial": Kind.PARTIAL, "a.jpg.filepart": Kind.PARTIAL,
    "~syncthing~a.jpg.tmp": Kind.PARTIAL, "a.jpg.!qB": Kind.PARTIAL, "a.jpg~": Kind.PARTIAL,
    "a.jpg_exiftool_tmp": Kind.PARTIAL, "a.jpg.digikamtempfile.tmp": Kind.PARTIAL,
    "BatchTool-EpEjEz-9e1c7a12.digikamtempfile.JPG": Kind.PARTIAL,
    ".syncthing.a.jpg.tmp": Kind.HIDDEN, ".goutputstream-AB12.png": Kind.HIDDEN,
    ".a.jpg.Xy12": Kind.HIDDEN, "._a.jpg": Kind.HIDDEN, ".pending-1700000000-a.jpg": Kind.HIDDEN,
    "a.sync-conflict-20240101-120000-ABCDEFG.jpg": Kind.CONFLICT,
    "a.b.sync-conflict-20240101-120000.HEIC": Kind.CONFLICT,
    "a (conflicted copy 2024-01-01 120000).jpg": Kind.CONFLICT,
    "a (conflicted copy ada 2024-01-01 120000).jpg": Kind.CONFLICT,
    "a (Ada's conflicted copy 2024-01-01).png": Kind.CONFLICT,
    "a_conflict-20240101-120000.jpg": Kind.CONFLICT,
    "a (SFConflict ada@example.org 2024-01-01-12-00-00).jpg": Kind.CONFLICT,
    "a.sync-conflict-20240101-120000-ABCDEFG.txt": Kind.TEXT,
    "a.MOV": Kind.VIDEO, "a.mp4": Kind.VIDEO, "a.m2ts": Kind.VIDEO, "a.insv": Kind.VIDEO,
    "a.CR2": Kind.RAW, "a.dng": Kind.RAW, "a.nef": Kind.RAW, "notes.txt": Kind.TEXT,
    "a.gif": Kind.PICTURE, "a.psd": Kind.PICTURE, "a.xmp": Kind.SIDECAR, "a.jpg.xmp": Kind.SIDECAR,
    "a.AAE": Kind.SIDECAR, "a.mp3": Kind.AUDIO, "a.pdf": Kind.DOCUMENT, "a.zip": Kind.ARCHIVE,
    "Makefile": Kind.OTHER, "a": Kind.OTHER, "jpg": Kind.OTHER, "a.jpgx": Kind.OTHER,
}  # fmt: skip

FOLDERS = {
    "@eaDir": Kind.SYSTEM, "#recycle": Kind.SYSTEM, "#snapshot": Kind.SYSTEM,
    ".Trash": Kind.SYSTEM, ".Trash-1000": Kind.SYSTEM, ".Trashes": Kind.SYSTEM,
    "$RECYCLE.BIN": Kind.SYSTEM, "$Recycle.Bin": Kind.SYSTEM, ".thumbnails": Kind.SYSTEM,
    ".dtrash": Kind.SYSTEM, "System Volume Information": Kind.SYSTEM, ".stversions": Kind.SYSTEM,
    ".stfolder": Kind.SYSTEM, "@Recycle": Kind.SYSTEM, "lost+found": Kind.SYSTEM,
    "@EADIR": Kind.SYSTEM, ".hidden": Kind.HIDDEN, ".rsync-partial": Kind.HIDDEN,
    "a.jpg.download": Kind.PARTIAL,
}  # fmt: skip


def fill(top: Path, *names: str) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x")


def by_both(top: Path) -> tuple[list[str], dict[str, Kind]]:
    """Return what is taken and what is passed over; `cloak` and `watch` agree on it."""
    found = search([top], exporters.suffixes())
    taken = sorted(os.path.relpath(one.source, top) for one in found.photos)
    passed = {os.path.relpath(one.path, top): one.kind for one in found.passed if one.kind}
    seen = list(Tree([top], exporters.suffixes(), away=()).everything())
    assert sorted(
        os.path.relpath(one.source, top) for one in seen if isinstance(one, Candidate)
    ) == taken  # fmt: skip
    assert {
        os.path.relpath(one.path, top): one.kind for one in seen if not isinstance(one, Candidate)
    } == passed
    return taken, passed


def test_every_name_of_a_photo_is_taken_and_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path, *TAKEN, *PASSED, *(f"x/{name}/y/a.jpg" for name in FOLDERS))
    taken, passed = by_both(tmp_path)
    assert taken == sorted(TAKEN)
    assert passed == PASSED | {f"x/{name}": kind for name, kind in FOLDERS.items()}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_event_in_such_a_folder_leads_nowhere(tmp_path: Path, name: str) -> None:
    fill(tmp_path, f"{name}/deep/a.jpg")
    tree = Tree([tmp_path], exporters.suffixes(), away=())
    assert list(tree.walk(tmp_path / name / "deep", deep=True)) == []


def test_such_a_folder_is_searched_where_it_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "#recycle/a.jpg")
    assert by_both(tmp_path / "#recycle")[0] == ["a.jpg"]


def test_a_download_under_the_photos_own_name_is_waited_for(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "a.jpg.aria2", "c.jpg", "c.jpg.part", "e.jpg")
    for name in ("b.jpg", "d.jpg", "e.jpg.part", "dd.jpg"):
        (tmp_path / name).write_bytes(b"")
    fill(tmp_path, "b.jpg.part", "d.Ab3xY9.jpg.part")
    taken, passed = by_both(tmp_path)
    # An old .part beside a photo that is there takes nothing away.
    assert taken == ["c.jpg", "dd.jpg", "e.jpg"]
    assert [passed[name] for name in ("a.jpg", "b.jpg", "d.jpg")] == [Kind.PARTIAL] * 3


def test_links_pipes_and_what_cannot_be_read_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, "x/a.jpg")
    (tmp_path / "to x").symlink_to("x")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert by_both(tmp_path) == (
        ["x/a.jpg"],
        {
            "to x": Kind.LINK,
            "loop.jpg": Kind.BROKEN,
            "gone.jpg": Kind.BROKEN,
            "pipe.jpg": Kind.SPECIAL,
        },
    )


def test_how_it_is_said() -> None:
    kinds = Counter({Kind.RAW: 1, Kind.TEXT: 1, Kind.VIDEO: 3})
    assert passed_over(kinds) == "5 passed over: 3 videos, 1 RAW, 1 text"
    assert passed_over(Counter({Kind.RAW: 2})) == "2 passed over: 2 RAW"
    assert passed_over(Counter()) == ""


def test_every_suffix_of_a_format_is_a_photos() -> None:
    for suffix in exporters.suffixes():
        assert kind_of_file(f"a{suffix.upper()}", exporters.suffixes()) is None
    assert not exporters.suffixes() & exporters.RAW_SUFFIXES
