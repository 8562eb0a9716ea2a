"""Learning a named person from photos: who is taken, who is left out, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from photocloak.core import ConfigError, manifest_root
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.plugin import assembly
from photocloak.plugin.main import run
from photocloak.plugin.people.assignment import ObservedFace
from photocloak.plugin.people.enrolment import RefusedError, alike, like_known
from photocloak.plugin.pipeline.process_photo import Engine
from tests.plugin.fakes import THRESHOLDS, FakeDetector, face, face_at, make_engine, write_photo
from tests.plugin.json_schema import conforms
from tests.plugin.people.test_people import Store

PORTRAIT = manifest_root() / "demo" / "astronaut.png"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def photos(identity: int, count: int, first: int = 0) -> dict[str, Embeddings]:
    return {f"{identity}-{i}": face(identity, i) for i in range(first, first + count)}


def enroll(store: Store, name: str, faces: dict[str, Embeddings]) -> tuple[int, set[str]]:
    person, kept = store.people.enroll(
        name, {photo: ObservedFace(one, True) for photo, one in faces.items()}, choose=store.choose
    )
    return person.id, kept


def test_strangers_among_the_photos_are_left_out(store: Store) -> None:
    number, kept = enroll(store, "Ada", photos(2, 1) | photos(1, 3) | photos(3, 1))
    assert kept == {"1-0", "1-1", "1-2"}
    (person,) = store.roster.everybody()
    assert (person.id, person.name, person.photos) == (number, "Ada", 3)
    assert store.choose.asked == [3], "the target is chosen by all photos that were kept"
    assert store.see("new", face(1, 9))[0].person == store.roster.everybody()[0]
    assert store.see("other", face(2, 9))[0].person != person


def test_photos_of_two_people_are_no_person(store: Store) -> None:
    for faces in (photos(1, 2) | photos(2, 2), photos(1, 1) | photos(2, 1)):
        with pytest.raises(RefusedError, match="do not agree on who Ada is") as refusal:
            enroll(store, "Ada", faces)
        assert refusal.value.why.keys() == faces.keys()
    assert store.roster.everybody() == []


def test_a_known_name_learns_and_keeps_its_target(store: Store) -> None:
    number, _ = enroll(store, "Ada", photos(1, 2))
    target = store.roster.everybody()[0].target
    again, kept = enroll(store, "ada", photos(1, 4) | photos(2, 5))
    assert (again, kept) == (number, set(photos(1, 4)))
    (person,) = store.roster.everybody()
    assert (person.name, person.photos, person.target) == ("Ada", 4, target)
    with pytest.raises(ConfigError, match="None of the photos looks like the Ada"):
        enroll(store, "Ada", photos(2, 3))


def test_an_unnamed_profile_that_looks_the_same_gets_the_name(store: Store) -> None:
    seen = store.see("before", face(1, 7))[0]
    assert seen.person is not None and seen.target is not None
    number, _ = enroll(store, "Ada", photos(1, 2))
    (person,) = store.roster.everybody()
    assert (number, person.photos) == (seen.person.id, 3)
    assert (person.name, person.target) == ("Ada", seen.target.name)


def test_somebody_with_another_name_stays_who_it_is(store: Store) -> None:
    enroll(store, "Ada", photos(1, 2))
    with pytest.raises(RefusedError, match="look like Ada, who is known already") as refusal:
        enroll(store, "Eve", photos(1, 3, first=5) | photos(2, 1))
    assert refusal.value.why["1-5"] == "looks like Ada"
    assert refusal.value.why["2-0"] == "does not look like the others"
    assert [one.name for one in store.roster.everybody()] == ["Ada"]


def test_two_people_get_two_targets(store: Store) -> None:
    enroll(store, "Ada", photos(1, 2))
    enroll(store, "Eve", photos(2, 2))
    assert len({one.target for one in store.roster.everybody()}) == 2


def test_a_profile_gets_to_know_a_person_by_photos_in_between() -> None:
    young, old = (np.array(v, np.float32) for v in ([1, 0], [0.4, np.sqrt(1 - 0.4**2)]))
    between = np.array([0.77, np.sqrt(1 - 0.77**2)], np.float32)
    faces = [dict.fromkeys(THRESHOLDS, one) for one in (old, between)]
    known = dict.fromkeys(THRESHOLDS, young)
    assert like_known(faces[:1], known, THRESHOLDS) == []
    assert like_known(faces, known, THRESHOLDS) == [0, 1]
    assert alike([known], THRESHOLDS) == [0]


ONE, CROWD, BESIDE, NONE, BLURRED = (60, 90), (61, 90), (62, 90), (63, 90), (64, 90)
SEEN = {
    ONE: [face_at(10, 5, 40)],
    CROWD: [face_at(40, 5, 30), face_at(5, 5, 34)],
    BESIDE: [face_at(70, 5, 15), face_at(10, 5, 40)],
    BLURRED: [face_at(10, 5, 40, score=0.6)],
}


class TestCommand:
    @pytest.fixture(autouse=True)
    def engine(self, monkeypatch: pytest.MonkeyPatch) -> Engine:
        engine = make_engine(SEEN, threshold=-1.0)
        monkeypatch.setattr(assembly, "load_engine", lambda *_: engine)
        return engine

    def call(
        self, capsys: pytest.CaptureFixture[str], *arguments: object
    ) -> tuple[int, list[dict[str, object]], str]:
        code = run(["people", "enroll", *map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        rows = [json.loads(line) for line in out.splitlines()]
        for row in rows:
            conforms("enrolment", row)
        return code, rows, err

    def test_each_photo_must_tell_who_is_meant(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        album = tmp_path / "album"
        for number, size in enumerate((ONE, CROWD, BESIDE, NONE, BLURRED)):
            write_photo(album / f"{number}.png", *size, seed=number)
        (album / "5.png").write_bytes(b"")
        code, rows, err = self.call(capsys, "Ada", album)
        assert code == 9
        assert [row["learned"] for row in rows] == [True, False, True, False, False, False]
        reasons = [str(row["reason"]) for row in rows]
        assert "shows 2 faces" in reasons[1] and "crop it" in reasons[1]
        assert "no face clearly enough" in reasons[3] and "no face" in reasons[4]
        assert all(reason in err for reason in reasons if reason != "None")
        assert "Ada: learned from 2 of 6 photos" in err and " 2 photos  last" in err
        assert run(["people", "list", "--json"]) == 0
        (person,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (person["name"], person["photos"]) == ("Ada", 2)

    def test_a_refusal_names_every_photo_and_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        engine = make_engine(SEEN, threshold=0.99999)
        monkeypatch.setattr(assembly, "load_engine", lambda *_: engine)
        names = [write_photo(tmp_path / f"{i}.png", *ONE, seed=i) for i in range(2)]
        names.append(write_photo(tmp_path / "crowd.png", *CROWD))
        code, rows, err = self.call(capsys, "Ada", *names)
        assert code == 3
        assert [row["learned"] for row in rows] == [False] * 3
        assert f"{names[0]}: does not look like the others." in err
        assert f"{names[1]}: does not look like the others." in err
        assert f"{names[2]}: shows 2 faces" in err
        assert "people merge" in err and "people name" in err and "frontal" in err
        assert run(["people", "list"]) == 0
        assert capsys.readouterr().out == ""

    def test_the_largest_face_is_the_one_that_is_learned(
        self, tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photo = write_photo(tmp_path / "a.png", *BESIDE)
        code, _, err = self.call(capsys, "Ada", photo)
        assert code == 0 and "learned from 1 of 1 photo;" in err and " 1 photo  last" in err
        assert isinstance(engine.detector, FakeDetector)
        embed = engine.ensemble.embed
        asked = [one.box for one in SEEN[BESIDE]]
        assert asked[1][2] == 40
        from photocloak import exporters
        from photocloak.plugin import Folders
        from photocloak.plugin.assembly import open_people

        (known,) = embed(exporters.read(photo).pixels, SEEN[BESIDE][1:])
        people = open_people(engine, Folders.of_user())
        assert [one and one.name for one in people.recognise([known])] == ["Ada"]

    def test_bad_input(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        photo = write_photo(tmp_path / "a.png", *ONE)
        for arguments, code, said in (
            (("7", photo), 3, "looks like an id"),
            (("Ada", tmp_path / "none.jpg"), 4, "cannot be read"),
            (("Ada", write_photo(tmp_path / "b.png", *NONE)), 5, "nothing was learned of Ada"),
        ):
            got, _, err = self.call(capsys, *arguments)
            assert got == code and said in err
        (tmp_path / "empty").mkdir()
        code, _, err = self.call(capsys, "Ada", tmp_path / "empty")
        assert code == 4 and "name photos, or a folder with some" in err
        assert run(["people", "enroll", "Ada"]) == 2
        assert run(["people", "list"]) == 0
        assert capsys.readouterr().out == ""

    def test_a_cloaked_photo_teaches_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from photocloak.plugin import Folders
        from photocloak.plugin.assembly import open_outputs
        from photocloak.plugin.pipeline.process_photo import sha256

        photo = write_photo(tmp_path / "a.png", *ONE)
        digest = sha256(photo.read_bytes())
        open_outputs(Folders.of_user()).announce(digest, source=photo, cloaked=True)
        code, _, err = self.call(capsys, "Ada", photo)
        assert code == 3 and "name the original" in err

    def test_hostile_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        photo = write_photo(tmp_path / "x\n\x1b[31m\udce9.png", *NONE)
        code, _, err = self.call(capsys, "Ada", photo)
        assert code == 5 and "\x1b" not in err


def test_real_photos_of_real_people(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three photos of one person and one of another; a later photo is then recognised."""
    people = lab / "data" / "faces" / "lfw_protect"
    ours = sorted((people / "Bill_Gates").glob("*.jpg"))[:4]
    other = sorted((people / "Britney_Spears").glob("*.jpg"))[0]
    album = tmp_path / "album"
    album.mkdir()
    for photo in (*ours[:3], other):
        shutil.copy(photo, album)
    assert run(["people", "enroll", "Bill", str(album), "--json"]) == 9
    out, err = capsys.readouterr()
    rows = {Path(row["source"]).name: row["learned"] for row in map(json.loads, out.splitlines())}
    assert rows == dict.fromkeys([one.name for one in ours[:3]], True) | {other.name: False}
    assert "does not look like Bill's others" in err
    assert run(["check", str(ours[3]), str(other), "--json"]) == 9
    seen = [json.loads(line)["faces"] for line in capsys.readouterr().out.splitlines()]
    assert [[one["person"] for one in faces] for faces in seen] == [["Bill"], []]
