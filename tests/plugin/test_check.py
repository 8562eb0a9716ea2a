""" "Would these files give a face away?", asked of what people have in a folder."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from photocloak.core import ExitCode
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.modes import load_mode
from photocloak.engine.verdict import Verdict
from photocloak.exporters import Finding
from photocloak.plugin import (
    Database,
    Folders,
    Outputs,
    People,
    Settings,
    Status,
    UserHint,
    assembly,
    load_engine,
)
from photocloak.plugin.audit import Audit, FoundFace, State, Sum
from photocloak.plugin.check import Auditor, content_of
from photocloak.plugin.demo import write_demo
from photocloak.plugin.main import run
from photocloak.plugin.people.corrections import Correction, Corrections
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.storage.results import Results
from tests.exporters.leaks.plants import PLANTS, Plant, exif, motion_photo, packet, with_segments
from tests.plugin.fakes import face_at, make_engine, picture, write_photo
from tests.plugin.studio import FACES, NONE, ONE, TWO, Studio

Check = Callable[..., tuple[int, dict[str, dict[str, Any]], str]]
BOX = [40, 20, 70, 70]
BLIND = {"minolta", "truncated_preview", "motion_photo", "original_in_extended_xmp"}
BLIND |= {"tiff_subifd", "tiff_reduced"}
"""Where it cannot be looked into what is hidden: films, broken pictures, strips of a TIFF."""


@pytest.fixture
def studio(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Return a user's pipeline, whose stores are those that the command opens."""
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=2))
    studio = Studio(folders.data.parent, make_engine(FACES), folders.database)
    monkeypatch.setattr(assembly, "load_engine", lambda *_: studio.engine)
    return studio


@pytest.fixture
def check(studio: Studio, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a way to run the command: (exit code, JSON objects by name, stderr)."""

    def call(*paths: Path) -> tuple[int, dict[str, dict[str, Any]], str]:
        code = run(["check", "--json", *map(str, paths)])
        out, err = capsys.readouterr()
        rows = [json.loads(line) for line in out.splitlines()]
        return code, {Path(row["source"]).name: row for row in rows}, err

    return call


def test_an_original_is_not_called_clean(check: Check, studio: Studio) -> None:
    code, rows, _ = check(studio.photo)
    assert (code, rows["a.png"]["status"]) == (ExitCode.OUTPUT, "not_cloaked")
    face = {"box": BOX, "person": None, "cloaked": False, "verdict": None, "left": False}
    assert rows["a.png"]["found"] == [face]
    assert (rows["a.png"]["cloaked"], rows["a.png"]["faces"]) == (False, [])


def test_what_was_written_is_cloaked_and_what_it_was_made_of_is_not(
    check: Check, studio: Studio
) -> None:
    written = studio.pipeline.run(studio.job()).output
    assert written is not None
    studio.engine.detector.faces = {ONE: [face_at(41, 21, 69)]}  # type: ignore[attr-defined]
    code, rows, _ = check(written)
    assert (code, rows["a.png"]["status"], rows["a.png"]["cloaked"]) == (0, "cloaked", True)
    assert rows["a.png"]["found"][0]["verdict"] == "good"
    studio.engine.detector.faces = FACES  # type: ignore[attr-defined]
    code, rows, _ = check(studio.photo)
    assert (code, rows["a.png"]["status"]) == (7, "not_cloaked")
    assert rows["a.png"]["faces"] == [{"box": BOX, "person": "person-1"}]


def test_a_face_that_was_left_alone_is_not_cloaked(check: Check, studio: Studio) -> None:
    group = write_photo(studio.photo.with_name("group.png"), *TWO)
    studio.pipeline.run(studio.job(group, hint=UserHint("Ada")))
    assert run(["people", "forget", "person-2"]) == 0
    written = studio.pipeline.run(studio.job(group, faces="me")).output
    assert written is not None
    code, rows, _ = check(written)
    assert (code, rows["group.png"]["status"]) == (7, "not_cloaked")
    assert [face["cloaked"] for face in rows["group.png"]["found"]] == [True, False]


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        (Correction(leave=True), {}),
        (None, {"spared": ("person-1",)}),
        (Correction(not_a_face=True), {"no_face": "copy"}),
        (Correction(not_a_face=True), {"no_face": "copy", "preset": "web"}),
    ],
)
def test_what_the_user_said_about_a_face_is_known(
    check: Check, studio: Studio, said: Correction | None, changes: dict[str, Any]
) -> None:
    """Of the photo, and of what was written of it; a face is a face, though it was left so."""
    first = studio.pipeline.run(studio.job())
    assert first.content is not None
    if said is not None:
        Corrections(studio.database).set(first.content, (42, 20, 68, 70), said)
    outcome = studio.pipeline.run(studio.job(**changes))
    assert outcome.output is not None
    left = "no_face" not in changes
    for file in (studio.photo, outcome.output)[said is None :]:
        code, rows, _ = check(file)
        row = rows[file.name]
        assert (code, row["status"]) == ((7, "not_cloaked") if left else (0, "no_face")), file
        assert [face["left"] for face in row["found"]] == [True] * left


def test_it_looks_twice_as_a_cloak_does(check: Check, studio: Studio) -> None:
    """Else a photo that was written with what is no face could never pass."""
    found = [face_at(40, 20, 70, score=0.6)]  # and no landmark network sees anything here
    studio.engine.detector.faces = {ONE: found}  # type: ignore[attr-defined]
    code, rows, _ = check(studio.photo)
    assert (code, rows["a.png"]["status"]) == (0, "no_face")


def test_a_face_that_was_left_as_asked_is_told_so(
    check: Check, studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    group = write_photo(studio.photo.with_name("group.png"), *TWO)
    studio.pipeline.run(studio.job(group, hint=UserHint("Ada")))
    written = studio.pipeline.run(studio.job(group, spared=("Ada",))).output
    assert run(["check", str(written)]) == 7
    assert f"{written}: not cloaked, as you asked: Ada at 20, 20" in capsys.readouterr().out
    found = [*FACES[TWO], face_at(100, 80, 30)]
    studio.engine.detector.faces = {TWO: found}  # type: ignore[attr-defined]
    assert run(["check", str(written)]) == 7
    told = capsys.readouterr().out
    assert "not cloaked: Ada at 20, 20 (80 × 80) (as you asked), a face at 100, 80" in told


def test_the_demo_is_known_to_be_cloaked(
    check: Check, studio: Studio, folders: Folders, tmp_path: Path
) -> None:
    own = Studio(tmp_path / "own")
    out = tmp_path / "demo"
    write_demo(
        own.pipeline,
        own.photo,
        out,
        outputs=Outputs(Database(folders.database)),
        mode="balanced",
        private=tmp_path / "private",
        tell=lambda _: None,
    )
    _, rows, _ = check(out)
    assert (rows["after.png"]["status"], rows["before.png"]["status"]) == ("cloaked", "not_cloaked")


def test_a_face_that_nobody_saw_then_is_not_cloaked(check: Check, studio: Studio) -> None:
    written = studio.pipeline.run(studio.job()).output
    assert written is not None
    found = [face_at(40, 20, 70), face_at(1, 1, 30)]
    studio.engine.detector.faces = {ONE: found}  # type: ignore[attr-defined]
    code, rows, _ = check(written)
    assert (code, rows["a.png"]["status"]) == (7, "not_cloaked")
    assert [face["cloaked"] for face in rows["a.png"]["found"]] == [True, False]


def test_one_that_was_saved_again_is_not_known_any_more(check: Check, studio: Studio) -> None:
    written = studio.pipeline.run(studio.job()).output
    assert written is not None
    written.write_bytes(written.read_bytes() + b"\0")
    assert check(written)[1]["a.png"]["status"] == "not_cloaked"


def test_weak_is_its_own_answer(check: Check, studio: Studio) -> None:
    weak = list(studio.engine.ensemble.extractors.values())[:2]
    for one in weak:
        one.spec = replace(one.spec, threshold=-1.0)  # type: ignore[misc]
    outcome = studio.pipeline.run(studio.job(accept_weak=True))
    assert outcome.status is Status.CLOAKED and outcome.output is not None
    code, rows, _ = check(outcome.output)
    assert (code, rows["a.png"]["status"]) == (ExitCode.TOO_WEAK, "weak")
    assert rows["a.png"]["found"][0]["verdict"] == "weak"


def test_figures_that_were_not_kept_make_nothing_up(check: Check, studio: Studio) -> None:
    written = studio.pipeline.run(studio.job()).output
    assert written is not None
    with studio.database.transaction() as connection:
        connection.execute("DELETE FROM results")
    code, rows, _ = check(written)
    assert (code, rows["a.png"]["status"]) == (0, "cloaked")
    assert rows["a.png"]["found"][0]["verdict"] is None


@pytest.mark.parametrize("plant", [one for some in PLANTS.values() for one in some], ids=str)
@pytest.mark.parametrize("seen", [True, False])
def test_a_clean_picture_is_found_wherever_it_hides(
    studio: Studio, tmp_path: Path, plant: Plant, seen: bool
) -> None:
    """The detector sees a face in every picture but the main one, or in none at all."""
    engine = replace(studio.engine, detector=_Sees(seen=seen))
    path = tmp_path / "album" / "photo"
    path.parent.mkdir()
    path.write_bytes(plant(picture(256, 256)))
    audit = _auditor(engine, studio.database)(path)
    if seen:
        assert audit.state is State.HIDES_PICTURE and audit.code is ExitCode.OUTPUT
    else:
        blind = plant.__name__ in BLIND
        assert audit.state is (State.HIDES_PICTURE if blind else State.NO_FACE), audit.hidden


def test_a_thumbnail_that_lies_on_its_side_is_seen(lab: Path, folders: Folders) -> None:
    """A camera stores it as the sensor saw it, and the real detector sees upright faces."""
    settings = Settings()
    engine = load_engine(settings, folders)
    face = Pillow.open(sorted((lab / "data/faces/lfw_protect/Bill_Gates").glob("*.jpg"))[0])
    path = folders.data.parent / "view.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    for turned in (0, 90, 180, 270):
        file = io.BytesIO()
        face.convert("RGB").rotate(turned, expand=True).save(file, "JPEG")
        block = (0xE1, b"Exif\0\0" + exif(file.getvalue()))
        path.write_bytes(with_segments(picture(200, 300), block))
        audit = _auditor(engine, Database(folders.database))(path)
        assert audit.state is State.HIDES_PICTURE, turned


def test_an_iphones_landscape_hides_nothing(lab: Path, folders: Folders) -> None:
    path = lab / "data" / "metadata_samples" / "iphone7_p3_gps.heic"
    audit = _auditor(load_engine(Settings(), folders), Database(folders.database))(path)
    assert (audit.state, audit.hidden) == (State.NO_FACE, ())
    assert {"picture", "place"} <= {one.kind for one in audit.leaks}


def test_a_small_copy_of_a_landscape_gives_no_face_away(check: Check, studio: Studio) -> None:
    image = picture(*NONE)
    thumbnail = with_segments(picture(60, 80))
    path = studio.photo.with_name("view.jpg")
    path.write_bytes(with_segments(image, (0xE1, b"Exif\0\0" + exif(thumbnail))))
    code, rows, _ = check(path)
    assert (code, rows["view.jpg"]["status"], rows["view.jpg"]["hidden"]) == (0, "no_face", [])
    assert [one["kind"] for one in rows["view.jpg"]["leaks"]] == ["picture"], "it is told"
    path.write_bytes(motion_photo(image))
    code, rows, _ = check(path)
    assert (code, rows["view.jpg"]["status"]) == (7, "hides_picture"), "nobody looks into a film"


def test_other_leaks_are_told_and_are_not_the_answer(
    check: Check, studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    place = packet('xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Wien"')
    path = studio.photo.with_name("view.jpg")
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + place
    path.write_bytes(with_segments(picture(*NONE), (0xE1, xmp)))
    code, rows, _ = check(path)
    assert (code, rows["view.jpg"]["status"]) == (0, "no_face")
    assert [one["kind"] for one in rows["view.jpg"]["leaks"]] == ["place"]
    assert run(["check", str(path)]) == 0
    answer, more = capsys.readouterr().out.splitlines()
    assert answer == f"{path}: no face"
    assert more.startswith(f"{path}: also tells place in ") and more.endswith("Wien")


def test_nothing_that_may_show_a_face_is_passed_over_silently(check: Check, studio: Studio) -> None:
    album = studio.photo.parent
    photo = studio.photo.read_bytes()
    for name in ("film.mov", "raw.nef", "anim.gif", "a.psd", "letter.pdf", "all.zip", "x.part"):
        (album / name).write_bytes(b"GIF89a" if name == "anim.gif" else b"\0\1\2\3")
    lost = "a.sync-conflict-20240101-120000-ABCDEFG.png"
    for name in (".hidden.png", "no-ending", "misnamed.gif", lost):
        (album / name).write_bytes(photo)
    for name in ("notes.txt", "song.mp3", "a.png.xmp", ".DS_Store", ".directory"):
        (album / name).write_bytes(b"\0\1")
    (album / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    (album / ".thumbnails").mkdir()
    (album / ".thumbnails" / "t.png").write_bytes(photo)
    (album / "gone.jpg").symlink_to(album / "nowhere.jpg")
    code, rows, err = check(album, album / "missing.jpg")
    assert code == ExitCode.SOME_FAILED
    states: dict[str, set[str]] = {}
    for name, row in rows.items():
        states.setdefault(row["status"], set()).add(name)
    assert states == {
        "not_cloaked": {"a.png", ".hidden.png", "no-ending", "misnamed.gif", lost},
        "could_not_look": {"film.mov", "raw.nef", "anim.gif", "a.psd", "letter.pdf", "all.zip"}
        | {"x.part", "damaged.jpg", ".thumbnails", "gone.jpg", "missing.jpg"},
    }
    assert all(rows[name]["reason"] for name in states["could_not_look"])
    assert "yes, 5 of 16: 5 not cloaked · 11 not looked at" in err
    assert "5 passed over" in err


def test_a_folder_with_films_alone_is_answered(check: Check, tmp_path: Path) -> None:
    film = tmp_path / "album" / "film.mov"
    film.parent.mkdir()
    film.write_bytes(b"\0")
    code, rows, _ = check(film.parent)
    assert (code, rows["film.mov"]["status"]) == (ExitCode.INPUT, "could_not_look")
    film.unlink()
    assert check(film.parent)[0] == ExitCode.INPUT


def test_it_says_what_is_not_known(tmp_path: Path) -> None:
    """A stranger's face may be cloaked by another computer; somebody known is not."""
    stranger, ada = FoundFace((1, 2, 3, 4)), FoundFace((5, 6, 7, 8), "Ada")
    [line] = Audit(tmp_path, faces=(stranger,)).lines()
    assert line.endswith(": not known to be cloaked: a face at 1, 2 (3 × 4); tells nothing else")
    [line] = Audit(tmp_path, faces=(stranger, ada)).lines()
    assert line.endswith(
        ": not cloaked: a face at 1, 2 (3 × 4), Ada at 5, 6 (7 × 8); tells nothing else"
    )


def test_who_can_be_told_in_spite_of_the_cloak_is_named(tmp_path: Path) -> None:
    """The word is the verdict's, which `cloak` said too; where it is lost, this is all there is."""
    known = FoundFace((5, 6, 7, 8), "Ada", cloaked=True, verdict=Verdict.FAIR)
    audit = Audit(tmp_path, faces=(known,), cloaked=True)
    assert (audit.state, audit.code) == (State.CLOAKED, ExitCode.OK)
    answer, more = audit.lines()
    assert answer.endswith(": cloaked (1 fair); tells nothing else")
    assert more.endswith(": still known to photocloak in spite of the cloak: Ada at 5, 6 (7 × 8)")
    audit = Audit(tmp_path, faces=(replace(known, verdict=None),), cloaked=True)
    assert (audit.state, audit.code) == (State.WEAK, ExitCode.TOO_WEAK)
    [answer] = audit.lines()
    assert "cloaked, but weak: Ada at 5, 6" in answer


@pytest.mark.parametrize("state", State)
def test_only_cloaked_and_no_face_are_no_problem(state: State, tmp_path: Path) -> None:
    face = FoundFace((1, 2, 3, 4), cloaked=True)
    audits = {
        State.NOT_CLOAKED: Audit(tmp_path, faces=(replace(face, cloaked=False),), hidden=("x",)),
        State.HIDES_PICTURE: Audit(tmp_path, hidden=("x",)),
        State.COULD_NOT_LOOK: Audit(tmp_path, reason="x"),
        State.WEAK: Audit(tmp_path, faces=(replace(face, verdict=Verdict.WEAK),), cloaked=True),
        State.CLOAKED: Audit(tmp_path, faces=(face,), cloaked=True),
        State.NO_FACE: Audit(tmp_path, leaks=(Finding("place", "EXIF", "GPS position"),)),
    }
    assert audits[state].state is state
    assert (audits[state].code == 0) == (state in (State.CLOAKED, State.NO_FACE))
    total = Sum()
    total.states[state] += 1
    bad = state in (State.NOT_CLOAKED, State.HIDES_PICTURE)
    assert ("yes, 1 of 1" in total.line()) == bad


def test_hidden_folders_and_links_are_named(tmp_path: Path) -> None:
    (tmp_path / "album" / "@eaDir").mkdir(parents=True)
    (tmp_path / "album" / "there").symlink_to(tmp_path)
    content = content_of([tmp_path / "album"])
    assert [one.source.name for one in content.blind] == ["@eaDir", "there"]
    assert not content.files and not content.passed


class _Sees(Detector):
    """A detector that sees a face in every picture but the first, which is the main one."""

    def __init__(self, *, seen: bool) -> None:
        self.low, self.high, self.seen, self.looks = 0.5, 0.7, seen, 0

    def __call__(self, image: Image, *, near: Sequence[Face] | None = None) -> list[Face]:
        assert image.shape[-1] == 3
        self.looks += 1
        return [face_at(5, 5, 40)] if self.seen and self.looks > 1 else []


def _auditor(engine: Engine, database: Database) -> Auditor:
    people = People(database, dict.fromkeys(engine.ensemble.extractors, 0.9))
    return Auditor(engine, people, Outputs(database), Results(database), Corrections(database))
