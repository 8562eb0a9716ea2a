"""The funnel: what becomes of a photo, and that nothing appears where something is wrong."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import ConfigError, ExitCode, OutputError
from photocloak.engine.modes import load_mode
from photocloak.plugin import FaceOutcome, Folders, Roster, Status, UserHint
from photocloak.plugin.pipeline import process_photo as attempt_module
from tests.plugin.fakes import face_at, make_engine, write_photo
from tests.plugin.studio import FACES, NONE, ONE, TWO, Studio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve steps are enough to tell a cloaked face from a clean one."""
    monkeypatch.setattr(
        attempt_module, "load_mode", lambda name: replace(load_mode(name), steps=12)
    )


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_photo_is_cloaked_and_measured_on_the_written_file(studio: Studio) -> None:
    before = studio.photo.read_bytes()
    outcome = studio.pipeline.run(studio.job())
    assert (outcome.status, outcome.output) == (Status.CLOAKED, studio.out / "a.png")
    assert outcome.code == ExitCode.OK and outcome.seconds > 0
    (face,) = outcome.faces
    assert face.box == (40, 20, 70, 70) and face.person == "person-1"
    written = exporters.read(studio.out / "a.png").pixels
    now = studio.engine.ensemble.embed(written, FACES[ONE])[0]
    was = studio.engine.ensemble.embed(exporters.read(studio.photo).pixels, FACES[ONE])[0]
    for name, value in face.similarity.items():
        same = float(now[name] @ was[name] / np.linalg.norm(now[name]) / np.linalg.norm(was[name]))
        assert value == pytest.approx(same, abs=1e-5) and value < 0.9999
    assert studio.photo.read_bytes() == before
    assert studio.outputs.knows(sha256(studio.out / "a.png"))


def test_json_has_the_promised_shape(studio: Studio) -> None:
    row = studio.pipeline.run(studio.job()).as_json()
    keys = ["source", "source_sha256", "output", "output_sha256", "status", "reason", "seconds"]
    assert list(row) == [*keys, "verdict", "discloses", "faces", "content", "not_faces"]
    assert row["source_sha256"] == sha256(studio.photo)
    assert row["output_sha256"] == sha256(studio.out / "a.png")
    fields = ["box", "person", "cloaked", "verdict", "accepting"]
    fields += ["mode", "edits", "dssim", "similarity", "fallback", "found", "left", "person_id"]
    assert list(row["faces"][0]) == fields
    assert all(isinstance(value, int) for value in row["faces"][0]["box"])
    held = studio.pipeline.run(studio.job(studio.photo.with_name("missing.jpg"))).as_json()
    assert (held["output"], held["status"], held["faces"]) == (None, "failed", [])
    assert held["source_sha256"] is held["output_sha256"] is None


def test_the_same_photo_gives_the_same_bytes_whoever_does_it(tmp_path: Path) -> None:
    studios = [Studio(tmp_path / name) for name in ("x", "y")]
    first, second = (studio.pipeline.run(studio.job()).output for studio in studios)
    assert first is not None and second is not None and first.read_bytes() == second.read_bytes()
    other = studios[0].pipeline.run(studios[0].job(seed=1)).output
    assert other is not None and other.read_bytes() != second.read_bytes()


def test_other_photos_of_a_person_do_not_change_the_cloak_of_this_one(studio: Studio) -> None:
    studio.pipeline.run(studio.job())
    first = (studio.out / "a.png").read_bytes()
    near = write_photo(studio.photo.with_name("b.png"), *ONE)
    pixels = np.asarray(Pillow.open(near)).astype(int) + 2
    Pillow.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(near)
    assert studio.pipeline.run(studio.job(near)).faces[0].person == "person-1"
    assert studio.pipeline.run(studio.job(redo=True)).status is Status.CLOAKED
    assert (studio.out / "a.png").read_bytes() == first


def test_doing_a_photo_again_replaces_its_output_and_nothing_else(studio: Studio) -> None:
    studio.out.mkdir()
    (studio.out / "a.png").write_bytes(b"somebody else's")
    assert studio.pipeline.run(studio.job()).output == studio.out / "a-2.png"
    assert studio.pipeline.run(studio.job(redo=True)).output == studio.out / "a-2.png"
    (studio.out / "a-2.png").write_bytes(b"edited since")
    assert studio.pipeline.run(studio.job()).output == studio.out / "a-3.png"
    assert (studio.out / "a.png").read_bytes() == b"somebody else's"
    assert (studio.out / "a-2.png").read_bytes() == b"edited since"


def test_an_output_is_never_cloaked_again(studio: Studio, tmp_path: Path) -> None:
    made = studio.pipeline.run(studio.job()).output
    assert made is not None
    again = studio.pipeline.run(studio.job(made))
    assert (again.status, again.output, again.code) == (Status.ALREADY_CLOAKED, made, ExitCode.OK)
    elsewhere = studio.pipeline.run(studio.job(made, folder=tmp_path / "elsewhere"))
    assert elsewhere.output == tmp_path / "elsewhere" / "a.png"
    assert elsewhere.output.read_bytes() == made.read_bytes()
    assert studio.written() == ["a.png"]


def test_an_output_is_known_before_it_is_visible(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[bool] = []

    def publish(data: bytes, *_: object, **__: object) -> Path:
        known.append(studio.outputs.knows(hashlib.sha256(data).hexdigest()))
        raise OutputError("killed here")

    monkeypatch.setattr(exporters, "publish", publish)
    assert studio.pipeline.run(studio.job()).code == ExitCode.OUTPUT
    assert known == [True]


def test_a_kill_right_after_publishing_leaves_no_second_file(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = exporters.publish

    def killed(*arguments: Any, **options: Any) -> Path:
        publish(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(exporters, "publish", killed)
        studio.pipeline.run(studio.job())
    Studio(studio.out.parent).pipeline.run(studio.job())
    assert studio.written() == ["a.png"]


class TestNoFace:
    def test_it_is_held_back(self, studio: Studio) -> None:
        bare = write_photo(studio.photo.with_name("b.png"), *NONE)
        outcome = studio.pipeline.run(studio.job(bare))
        assert (outcome.status, outcome.output) == (Status.NO_FACE, None)
        assert outcome.code == ExitCode.NO_FACE and "--no-face copy" in str(outcome.reason)
        assert studio.written() == []

    @pytest.mark.parametrize("name", ["b.png", "b.jpg"])
    def test_it_is_copied_on_demand(self, studio: Studio, name: str) -> None:
        bare = write_photo(studio.photo.with_name(name), *NONE)
        outcome = studio.pipeline.run(studio.job(bare, no_face="copy"))
        assert (outcome.status, outcome.code) == (Status.NO_FACE, ExitCode.OK)
        assert outcome.output == studio.out / name
        before, after = (exporters.read(path).pixels for path in (bare, outcome.output))
        assert np.array_equal(before, after)
        assert not studio.outputs.knows(sha256(outcome.output)), "it is not a cloaked photo"
        assert studio.pipeline.run(studio.job(bare, no_face="copy")).output == outcome.output
        assert studio.written() == [name]


def test_a_face_that_cannot_be_aligned_holds_the_photo_back(tmp_path: Path) -> None:
    seen = {ONE: [face_at(40, 20, 70), face_at(5, 5, 30, score=0.6, upright=False)]}
    studio = Studio(tmp_path, make_engine(seen))
    outcome = studio.pipeline.run(studio.job())
    assert (outcome.status, outcome.code) == (Status.UNCERTAIN, ExitCode.NO_FACE)
    assert "5, 5 (30 × 30 pixels)" in str(outcome.reason)
    assert studio.written() == []


def test_an_uncertain_face_that_can_be_aligned_is_cloaked_without_a_profile(tmp_path: Path) -> None:
    studio = Studio(tmp_path, make_engine({ONE: [face_at(40, 20, 50, score=0.6)]}))
    outcome = studio.pipeline.run(studio.job())
    assert outcome.status is Status.CLOAKED
    assert outcome.faces[0].person is None


def test_a_large_one_that_the_landmark_network_does_not_see_is_none(tmp_path: Path) -> None:
    """The engine of fakes has landmarks of an average face, which say that nothing was seen."""
    unsure = face_at(40, 20, 70, score=0.6), face_at(5, 5, 60, score=0.6, upright=False)
    studio = Studio(tmp_path, make_engine({ONE: unsure}))
    assert studio.pipeline.run(studio.job()).status is Status.NO_FACE


class TestOnlyMe:
    """`faces = "me"`: people with a name are cloaked, the others left as they are."""

    @pytest.fixture
    def group(self, studio: Studio) -> Path:
        """Return a photo of two, of whom the one on the left is Ada."""
        path = write_photo(studio.photo.with_name("group.png"), *TWO)
        assert studio.pipeline.run(studio.job(path, hint=UserHint("Ada"))).code == ExitCode.OK
        Roster(studio.database).forget(["person-2"])
        return path

    def test_others_keep_their_faces(self, studio: Studio, group: Path) -> None:
        outcome = studio.pipeline.run(studio.job(group, faces="me"))
        assert outcome.status is Status.CLOAKED and outcome.output is not None
        ada, other = outcome.faces
        assert (ada.person, ada.cloaked) == ("Ada", True) and ada.dssim
        box = 150, 30, 70, 70
        left = FaceOutcome(box, None, None, {}, None, cloaked=False, found=box, left=True)
        assert other == left
        assert other.as_json() == {
            "box": [150, 30, 70, 70],
            "person": None,
            "cloaked": False,
            "verdict": None,
            "accepting": None,
            "mode": None,
            "edits": {},
            "dssim": None,
            "similarity": {},
            "fallback": None,
            "found": [150, 30, 70, 70],
            "left": True,
            "person_id": None,
        }
        before, after = (exporters.read(path).pixels for path in (group, outcome.output))
        changed = (before != after).any(axis=(0, 2))
        assert changed[20:100].mean() > 0.8 and not changed[150:].any()
        assert [one.label for one in Roster(studio.database).everybody()] == ["Ada"]

    def test_a_photo_of_others_only(self, studio: Studio, group: Path) -> None:
        other = write_photo(studio.photo.with_name("other.png"), *ONE, seed=3)
        held = studio.pipeline.run(studio.job(other, faces="me"))
        assert (held.status, held.output) == (Status.NOBODY_NAMED, None)
        assert held.code == ExitCode.NO_FACE and "--no-face copy" in str(held.reason)
        assert [face.cloaked for face in held.faces] == [False]
        copied = studio.pipeline.run(studio.job(other, faces="me", no_face="copy"))
        assert (copied.status, copied.code) == (Status.NOBODY_NAMED, ExitCode.OK)
        assert copied.output is not None and copied.faces == held.faces
        before, after = (exporters.read(path).pixels for path in (other, copied.output))
        assert np.array_equal(before, after)
        assert not studio.outputs.knows(sha256(copied.output)), "it is not a cloaked photo"

    def test_only_the_cloaked_face_must_hold(self, tmp_path: Path) -> None:
        """The other's face stays recognisable, and that holds nothing back; the cloaked one's does.

        Hardly any change satisfies this threshold, so an unchanged face is always accepted.
        """
        studio = Studio(tmp_path, make_engine(FACES, threshold=0.99999))
        path = write_photo(studio.photo.with_name("group.png"), *TWO)
        studio.pipeline.run(studio.job(path, hint=UserHint("Ada")))
        Roster(studio.database).forget(["person-2"])
        assert studio.pipeline.run(studio.job(path, faces="me")).status is Status.CLOAKED
        weak = Studio(tmp_path / "weak", make_engine(FACES, threshold=-1.0))
        path = write_photo(weak.photo.with_name("group.png"), *TWO)
        held = weak.pipeline.run(weak.job(path, hint=UserHint("Ada"), faces="me"))
        assert held.status is Status.TOO_WEAK and weak.written() == []

    def test_nobody_is_named(self, studio: Studio) -> None:
        outcome = studio.pipeline.run(studio.job(faces="me"))
        assert (outcome.status, outcome.code) == (Status.FAILED, ExitCode.CONFIG)
        with pytest.raises(ConfigError, match="nobody has one yet"):
            studio.pipeline.check(studio.job(faces="me"))
        studio.pipeline.check(studio.job(faces="me", hint=UserHint("Ada")))


def test_a_cloak_that_is_too_weak_is_held_back(tmp_path: Path) -> None:
    studio = Studio(tmp_path, make_engine(FACES, threshold=-1.0))
    steps: list[tuple[int, int]] = []
    outcome = studio.pipeline.run(studio.job(), on_step=lambda *step: steps.append(step))
    assert (outcome.status, outcome.code) == (Status.TOO_WEAK, ExitCode.TOO_WEAK)
    assert "nearly every recogniser still knows person-1 at 40, 20" in str(outcome.reason)
    assert outcome.faces[0].accepting == ("one", "two", "three")
    assert not outcome.faces[0].as_json()["cloaked"], "it is called cloaked nowhere"
    assert steps[-1] == (18, 18), "with half of the next mode's, from where this one's ended"
    assert [done for done, _ in steps] == list(range(1, 19)), "it never goes back"
    assert outcome.faces[0].similarity.keys() == {"one", "two", "three"}
    assert studio.written() == []


def test_every_face_of_a_group_is_somebody_else_with_a_target_of_their_own(studio: Studio) -> None:
    group = write_photo(studio.photo.with_name("group.jpg"), *TWO)
    outcome = studio.pipeline.run(studio.job(group, hint=UserHint("Ada")))
    assert [face.person for face in outcome.faces] == ["Ada", "person-2"]
    assert [face.box for face in outcome.faces] == [(20, 20, 80, 80), (150, 30, 70, 70)]


def test_two_hundred_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "load_mode", lambda name: replace(load_mode(name), steps=1))
    crowd = [face_at(20 + 40 * x, 20 + 40 * y, 32) for y in range(10) for x in range(20)]
    studio = Studio(tmp_path, make_engine({(440, 840): crowd}, threshold=1.1))
    photo = write_photo(studio.photo.with_name("crowd.jpg"), 440, 840)
    outcome = studio.pipeline.run(studio.job(photo))
    assert outcome.status is Status.CLOAKED
    assert {face.person for face in outcome.faces} == {f"person-{i}" for i in range(1, 201)}


class TestFailures:
    """Each is an outcome with one line of reason; the destination stays as it was."""

    def test_a_mistake_of_ours(self, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError("two\nlines")

        monkeypatch.setattr(exporters, "encode", broken)
        outcome = studio.pipeline.run(studio.job())
        assert (outcome.status, outcome.code) == (Status.FAILED, ExitCode.UNEXPECTED)
        assert outcome.reason == f"{studio.photo}: unexpected ZeroDivisionError: two lines"
        assert studio.written() == []

    def test_no_memory(self, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
        def greedy(*_: object) -> None:
            raise MemoryError

        monkeypatch.setattr(exporters, "prepare", greedy)
        assert "not enough memory" in str(studio.pipeline.run(studio.job()).reason)

    def test_an_interrupt_is_not_swallowed(
        self, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(exporters, "prepare", interrupted)
        with pytest.raises(KeyboardInterrupt):
            studio.pipeline.run(studio.job())

    def test_bytes_that_decode_to_another_size(
        self, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def shrunk(photo: exporters.Photo, *_: object) -> exporters.Encoded:
            small = write_photo(studio.photo.with_name("small.png"), 50, 60)
            return exporters.Encoded(small.read_bytes(), "PNG", ".png")

        monkeypatch.setattr(exporters, "encode", shrunk)
        outcome = studio.pipeline.run(studio.job())
        assert (outcome.status, outcome.code) == (Status.FAILED, ExitCode.OUTPUT)
        assert "60 × 50 pixels instead of PNG of 160 × 120" in str(outcome.reason)
        assert studio.written() == []

    def test_bytes_that_do_not_decode(
        self, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encode = exporters.encode

        def cut(*arguments: Any) -> exporters.Encoded:
            encoded = encode(*arguments)
            return replace(encoded, data=encoded.data[: len(encoded.data) // 2])

        monkeypatch.setattr(exporters, "encode", cut)
        outcome = studio.pipeline.run(studio.job())
        assert (outcome.status, outcome.code) == (Status.FAILED, ExitCode.OUTPUT)
        assert "does not decode again" in str(outcome.reason)
        assert studio.written() == []

    def test_a_destination_that_is_a_file(self, studio: Studio) -> None:
        studio.out.write_text("a file")
        outcome = studio.pipeline.run(studio.job())
        assert outcome.code == ExitCode.OUTPUT and "not a folder" in str(outcome.reason)
        outcome = studio.pipeline.run(studio.job(folder=studio.out / "below"))
        assert outcome.code == ExitCode.OUTPUT and studio.out.read_text() == "a file"


def test_engine_and_stores_live_under_the_users_folders(folders: Folders) -> None:
    assert folders.database.is_relative_to(folders.data)
