"""The report: what it says of each photo, what it refuses to show, and where it may lie."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from photocloak.plugin import Folders, Status
from photocloak.plugin.report import page, pictures
from photocloak.plugin.report.destination import output_folders
from photocloak.plugin.report.photo import TITLES
from photocloak.plugin.report.pictures import Album, Shown
from photocloak.plugin.report.records import PhotoRecord, read_run
from tests.plugin.html.test_html import Reader
from tests.plugin.report.made import FACE, RED, Make, cloaked, held, paint, pictured, sha256, specs


def test_a_cloaked_photo_is_shown_before_and_after_with_its_evidence(
    make: Make, tmp_path: Path
) -> None:
    code, shown, _ = make(cloaked(tmp_path, "a.png"))
    assert code == 0
    assert pictured(shown) == [
        "a.png, the original",
        "a.png, cloaked",
        "What changed in a.png, 10 times as strong, on grey",
        "face 1, original",
        "face 1, cloaked",
        "face 1, what changed",
    ]
    for text in (
        "Ada",
        "moved by 1.1 %",
        "±20 %",
        "±0.06 stops",
        "0.0105",
        "0.850",
        "limit 0.911",
        "still recognised",
        "not recognised",
    ):
        assert text in shown.words


def test_a_photo_held_back_is_shown_with_its_reason_and_not_as_published(
    make: Make, tmp_path: Path
) -> None:
    row = held(tmp_path, "b.png")
    _, shown, _ = make(row)
    assert pictured(shown) == ["b.png, the original"]
    assert ": held back, since hse would still recognise a face in it." in shown.words
    assert f"{row['source']}: held back" not in shown.words
    assert "Written" not in shown.words and "Held back (1)" in shown.words


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda row: Path(row["source"]).unlink(), "the photo is no longer there"),
        (lambda row: Path(row["output"]).unlink(), "the cloaked photo is no longer there"),
        (lambda row: paint(Path(row["source"]), (0, 9, 0)), "the photo has been changed since"),
        (lambda row: paint(Path(row["output"]), RED), "the cloaked photo has been changed since"),
        (lambda row: row.update(source_sha256=None), "the photo has been changed since"),
    ],
)
def test_files_that_are_not_those_of_the_run_are_not_shown(
    make: Make, tmp_path: Path, spoil: Callable[[dict[str, Any]], object], said: str
) -> None:
    row = cloaked(tmp_path, "a.png")
    spoil(row)
    code, shown, _ = make(row)
    assert code == 0 and pictured(shown) == []
    assert f"No pictures: {said}." in shown.words
    assert "0.850" in shown.words


def test_it_is_private_and_replaces_the_one_before(
    make: Make, tmp_path: Path, folders: Folders
) -> None:
    for name in ("a.png", "b.png"):
        assert make(cloaked(tmp_path, name))[0] == 0
    (shown,) = (folders.data / "reports").iterdir()
    assert shown.name == "report.html" and "b.png, cloaked" in shown.read_text()
    for path, mode in ((shown, 0o600), (shown.parent, 0o700), (folders.data, 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    chosen = tmp_path / "mine.html"
    old = os.umask(0)
    try:
        assert make(cloaked(tmp_path, "a.png"), options=("-o", chosen))[0] == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o600


@pytest.mark.parametrize("below", ["out", "out/trip", "out/trip/deep", "watched", "kept/x"])
def test_it_does_not_lie_where_photos_are_published_or_watched(
    make: Make, tmp_path: Path, folders: Folders, below: str
) -> None:
    folders.config.mkdir(parents=True)
    watched, kept = tmp_path / "watched", tmp_path / "kept"
    folders.settings.write_text(f'watch = ["{watched}"]\nwatch_output = "{kept}"')
    place = tmp_path / below
    place.mkdir(parents=True, exist_ok=True)
    (tmp_path / "link").symlink_to(place)
    row = cloaked(tmp_path, "trip/a.png")
    for path in (place / "r.html", tmp_path / "link" / "r.html"):
        code, _, err = make(row, options=("-o", path))
        assert code == 3 and "watched or output folder" in err
        assert not path.exists()


def test_the_data_folder_may_not_be_published_either(
    make: Make, tmp_path: Path, folders: Folders
) -> None:
    row = cloaked(folders.data, "a.png")
    assert make(row, options=("-o", folders.data / "out" / "r.html"))[0] == 3
    folders.config.mkdir(parents=True)
    folders.settings.write_text(f'watch = ["{tmp_path}"]')
    code, _, err = make(cloaked(tmp_path, "a.png"))
    assert code == 3 and "write it elsewhere" in err


def test_the_output_folder_of_mirrored_sub_folders_is_found() -> None:
    def row(source: str, output: str) -> PhotoRecord:
        return PhotoRecord(Path(source), None, Path(output), None, Status.CLOAKED, None, ())

    rows = [row("/in/a/b/1.jpg", "/out/a/b/1.jpg"), row("/x/2.jpg", "/y/2.jpg")]
    assert output_folders(rows) == {Path("/out"), Path("/y")}
    assert output_folders([row("/same/1.jpg", "/same/1-2.jpg")]) == {Path("/same")}


def test_no_other_file_is_overwritten_and_nothing_is_left_after_a_failure(
    make: Make, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.html"
    letter.write_text("dear")
    for path in (letter, tmp_path / "in"):
        code, _, err = make(cloaked(tmp_path, "a.png"), options=("-o", path))
        assert code == 3 and str(path) in err
    assert letter.read_text() == "dear"
    code, _, err = make(cloaked(tmp_path, "a.png"), options=("-o", tmp_path / "none" / "r.html"))
    assert code == 7 and "cannot be written" in err


def test_boxes_beyond_the_picture_do_no_harm(make: Make, tmp_path: Path) -> None:
    boxes = [[-50, -50, 20, 20], [9000, 9000, 5, 5], [0, 0, 0, 0], [10**9, 0, 10**9, 1]]
    row = cloaked(tmp_path, "a.png", faces=[FACE | {"box": box} for box in boxes])
    code, shown, _ = make(row)
    assert code == 0 and len(pictured(shown)) == 3 + 3 * len(boxes)


def test_a_smaller_output_is_compared_at_its_own_size(make: Make, tmp_path: Path) -> None:
    row = cloaked(tmp_path, "a.png")
    small = paint(Path(row["output"]), (30, 30, 200), (160, 100))
    (change,) = read_run([json.dumps(row | {"output_sha256": sha256(small)}).encode()], "x")
    shown = Album()(change)
    assert isinstance(shown, Shown) and (shown.size, shown.scale) == ((160, 100), 1)


def test_the_page_is_bounded_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_run(
        [json.dumps(cloaked(tmp_path, f"{number}.png")).encode() for number in range(6)]
        + [json.dumps(held(tmp_path, "held.png")).encode()],
        "x",
    )
    monkeypatch.setattr(page, "MOST", 4)
    shown = Reader(page.report(rows, specs(), Album(room=1), what="x", made="now").decode())
    assert len([one for one in pictured(shown) if one.endswith(".png, cloaked")]) == 1
    assert "Pictures of 1 photos are in it" in shown.words
    assert "4 of 7 photos are listed, those with a problem first" in shown.words
    assert "held.png" in shown.words and "Written (6)" in shown.words
    assert "No pictures: the page is full." in shown.words


def test_a_face_left_alone_is_said_so_and_does_not_count(make: Make, tmp_path: Path) -> None:
    alone = FACE | {"person": None, "cloaked": False, "dssim": None, "similarity": {}}
    _, shown, _ = make(cloaked(tmp_path, "a.png", faces=[FACE, alone]))
    assert "left as it is" in shown.words
    assert "faces measured1" in shown.words and "faces left as they are1" in shown.words
    code, _, _ = make(cloaked(tmp_path, "a.png", faces=[alone]))
    assert code == 0


def test_the_boxes_of_what_holds_a_photo_back_are_drawn(make: Make, tmp_path: Path) -> None:
    """In pixels of the original, where a preset would have made the photo smaller."""
    bare: dict[str, Any] = {"cloaked": False, "dssim": None, "similarity": {}, "person": None}
    spots = [
        {"box": [20, 15, 30, 40], "found": [40, 30, 60, 80], **bare},
        {"box": [60, 50, 10, 12], **bare},
    ]
    row = held(tmp_path, "a.png", status="uncertain", faces=spots)
    _, shown, _ = make(row)
    size = ("x", "y", "width", "height")
    marks = [one for name, one in shown.elements if name == "rect" and "class" not in one]
    boxes = [[float(one[key] or "") for key in size] for one in marks if "x" in one]
    assert [40, 30, 60, 80] in boxes and [60, 50, 10, 12] in boxes
    assert "nothing was done to it" in shown.words and "left as it is" not in shown.words


def test_what_was_published_without_a_cloak_is_not_called_cloaked(
    make: Make, tmp_path: Path
) -> None:
    other = {"reason": "no face was found; written uncloaked", "faces": []}
    _, shown, _ = make(cloaked(tmp_path, "a.png", status="no_face", **other))
    assert pictured(shown) == ["a.png, not cloaked"]
    assert "Written as it is, without a cloak." in shown.words


def test_outputs_that_came_in_again_are_not_compared_with_themselves(
    make: Make, tmp_path: Path
) -> None:
    again = {"status": "already_cloaked", "faces": []}
    nothing = {"output": None, "output_sha256": None}
    _, shown, _ = make(
        cloaked(tmp_path, "a.png", **again), cloaked(tmp_path, "b.png", **again, **nothing)
    )
    assert pictured(shown) == []
    assert "Written (1)" in shown.words and "Passed over" in shown.words
    assert "Held back" not in shown.words and "written1held back0" in shown.words


def test_every_status_has_a_title() -> None:
    assert set(TITLES) == set(Status)


def test_thumbnails_are_small(tmp_path: Path) -> None:
    row = cloaked(tmp_path, "a.png")
    paint(Path(row["source"]), RED, (3000, 2000))
    large = json.dumps(row | {"source_sha256": sha256(Path(row["source"])), "output": None})
    shown = Album()(read_run([large.encode()], "x")[0])
    assert isinstance(shown, Shown)
    assert shown.size == (pictures.EDGE, 480) and shown.scale == pytest.approx(0.24)


def test_a_click_opens_the_file_wherever_the_page_is_opened_from(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's paths were relative, and the report is made in another folder."""
    rows = [cloaked(tmp_path, "a #1%?.png"), held(tmp_path, "b.png")]
    copied = cloaked(tmp_path, "c.png", status="no_face", faces=[])
    for row in (*rows, copied):
        row["directory"] = str(tmp_path)
        row["reason"] = "in/b.png: held back" if row["output"] is None else None
        for key in ("source", "output"):
            row[key] = row[key] and str(Path(row[key]).relative_to(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, shown, _ = make(*rows, copied)
    assert code == 0 and "No pictures" not in shown.words
    assert ": held back" in shown.words and "in/b.png: held back" not in shown.words
    links = [one["href"] for name, one in shown.elements if name == "a"]
    files = [one for one in links if one and not one.startswith("#")]
    paths = [Path(unquote(str(one).removeprefix("file://"))) for one in files]
    names = ["in/b.png", "in/a #1%?.png", "out/a #1%?.png", "out/c.png"]
    assert paths == [tmp_path / name for name in names]


def test_how_well_each_face_is_cloaked_is_one_word(make: Make, tmp_path: Path) -> None:
    faces = [FACE | {"verdict": one} for one in ("good", "fair", "weak", "none")]
    _, shown, _ = make(cloaked(tmp_path, "a.png", faces=[*faces, FACE]))
    words = [
        (one["class"], name)
        for name, one in shown.elements
        if name == "strong" and one.get("class") in ("good", "warn", "bad")
    ]
    assert [tone for tone, _ in words] == ["good", "good", "warn", "bad", "bad"]
    for one in ("good", "fair", "weak", "none"):
        assert one in shown.words


def test_what_was_written_is_not_called_published(make: Make, tmp_path: Path) -> None:
    """A file in the output folder is nobody else's before it is put somewhere."""
    rows = [
        cloaked(tmp_path, "a.png"),
        held(tmp_path, "b.png"),
        cloaked(tmp_path, "c.png", status="no_face", faces=[]),
    ]
    _, shown, _ = make(*rows)
    assert "ublish" not in "".join(shown.words)
