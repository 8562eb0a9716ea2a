"""Which photos a run takes from what the user named."""

from pathlib import Path, PurePath

import pytest

from photocloak.plugin.storage.inputs import Found, find_photos

SUFFIXES = {".jpg", ".png"}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        ".hidden.jpg",
        "x/c.jpg",
        ".trash/d.jpg",
        "x/y/e.jpg",
    ):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "album"


def names(found: list[Found], album: Path) -> list[str]:
    return [str(one.source.relative_to(album)) for one in found]


def test_folders_are_searched_sorted_and_mirrored(album: Path) -> None:
    found = find_photos([album], SUFFIXES)
    assert names(found, album) == ["a.PNG", "b.jpg", "x/c.jpg", "x/y/e.jpg"]
    assert [one.below for one in found] == [PurePath(), PurePath(), PurePath("x"), PurePath("x/y")]


def test_a_named_file_is_taken_whatever_it_is_called_even_if_it_is_not_there(album: Path) -> None:
    named = [album / "notes.txt", album / "missing.jpg", album / ".hidden.jpg"]
    assert [one.source for one in find_photos(named, SUFFIXES)] == named


def test_no_photo_comes_twice(album: Path) -> None:
    (album / "link.jpg").symlink_to(album / "b.jpg")
    found = find_photos([album / "x" / ".." / "b.jpg", album, album / "x"], SUFFIXES)
    assert [one.source.resolve().name for one in found] == ["b.jpg", "a.PNG", "c.jpg", "e.jpg"]


def test_the_output_folder_is_not_fed_back(album: Path) -> None:
    found = find_photos([album], SUFFIXES, output=album / "x")
    assert names(found, album) == ["a.PNG", "b.jpg"]
    assert names(find_photos([album], SUFFIXES, output=album), album)[:2] == ["a.PNG", "b.jpg"]


def test_links_to_folders_are_not_followed(album: Path) -> None:
    (album / "x" / "loop").symlink_to(album)
    assert len(find_photos([album], SUFFIXES)) == 4
