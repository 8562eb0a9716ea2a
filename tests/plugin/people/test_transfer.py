"""People come to another computer with their targets, under a passphrase, and nobody by halves."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photocloak.core import ConfigError
from photocloak.engine.targets.library import target_from_photos
from photocloak.plugin import Database, Folders, Roster
from photocloak.plugin.main import run
from photocloak.plugin.people import sealed
from photocloak.plugin.people.assignment import UserHint
from photocloak.plugin.people.sealed import HEAD, seal, unseal
from tests.plugin.fakes import FirstFree, face, library
from tests.plugin.people.test_people import Store, target


@pytest.fixture
def here(tmp_path: Path) -> Store:
    store = Store(tmp_path / "here")
    for number in range(3):
        store.see(f"ada {number}", face(1, number), hint=UserHint("Ada"))
    store.see("eve", face(2))
    return store


@pytest.fixture
def there(tmp_path: Path) -> Store:
    return Store(tmp_path / "there")


def bring(here: Store, there: Store) -> tuple[list[str], list[str]]:
    """Take everybody along: (labels of who is new there, of who was known)."""
    data = here.roster.export(here.roster.everybody(), here.choose.library)
    arrival = there.roster.receive(data, there.choose.library)
    return [one.label for one in arrival.new], [one.label for one in arrival.known]


def test_they_are_found_again_with_their_targets(here: Store, there: Store) -> None:
    there.see("bob", face(3))  # has the first target there, which Ada has here
    assert bring(here, there) == (["Ada", "person-3"], [])
    for identity, photo in ((1, "later"), (2, "again")):
        (mine,) = here.see(photo, face(identity, 9))
        (theirs,) = there.see(photo, face(identity, 9))
        assert target(mine).name == target(theirs).name
        for name, members in target(mine).members.items():
            assert (target(theirs).members[name] == members).all()
        assert mine.person is not None and theirs.person is not None
        assert mine.person.name == theirs.person.name
        assert mine.person.created == theirs.person.created
        assert mine.reference.keys() == theirs.reference.keys()
        assert all((theirs.reference[name] == mean).all() for name, mean in mine.reference.items())


def test_another_library_does_not_change_a_target(here: Store, there: Store) -> None:
    """Its entries may have the same names."""
    there.choose = FirstFree()
    there.choose.library = {
        name: target_from_photos(name, [face(5000 + number, one) for one in range(2)])
        for number, name in enumerate(library(10))
    }
    bring(here, there)
    (mine,), (theirs,) = here.see("x", face(1, 7)), there.see("x", face(1, 7))
    for name, members in target(mine).members.items():
        assert (target(theirs).members[name] == members).all()


def test_an_own_target_comes_along(here: Store, there: Store) -> None:
    own = target_from_photos("folder-1", [face(77, 0), face(77, 1)])
    here.see("z", face(9), hint=UserHint("Zoe", own))
    bring(here, there)
    (found,) = there.see("z again", face(9, 3))
    assert target(found).name == "folder-1"
    for name, members in own.members.items():
        assert (target(found).members[name] == members).all()


def test_twice_is_once(here: Store, there: Store) -> None:
    bring(here, there)
    before = [(one.id, one.label, one.photos, one.target) for one in there.roster.everybody()]
    assert bring(here, there) == ([], ["Ada", "person-2"])
    assert [(o.id, o.label, o.photos, o.target) for o in there.roster.everybody()] == before
    assert bring(there, here) == ([], ["Ada", "person-2"])


def test_a_name_that_is_taken_for_somebody_else_is_told_and_nobody_comes(
    here: Store, there: Store
) -> None:
    there.see("x", face(8))
    there.see("y", face(1, 5), hint=UserHint("ADA"))
    before = there.roster.everybody()
    with pytest.raises(ConfigError, match=r"ADA is known here already") as caught:
        bring(here, there)
    assert there.roster.everybody() == before
    # What it says is what helps.
    assert "people name 2 OTHER" in str(caught.value)
    there.roster.name("2", "OTHER")
    assert bring(here, there)[0] == ["Ada", "person-4"]
    there.roster.merge("Ada", ["OTHER"])
    (mine,), (theirs,) = here.see("n", face(1, 8)), there.see("n", face(1, 8))
    assert target(mine).name == target(theirs).name


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table["people"][0].pop("target"),
        lambda table: table["people"][0].update(target="nobody-x"),
        lambda table: table["people"][0].update(sightings=[["a"]]),
        lambda table: table["people"][1].update(centroids=[["one", {"b64": "é"}]]),
        lambda table: table["people"][1].update(created=None),
        lambda table: table["people"][1].update(name="a\nb"),
        lambda table: table["people"][1].update(name="person-7"),
        lambda table: table.update(people=3),
        lambda table: table.update(targets=[]),
    ],
)
def test_what_is_no_people_is_a_sentence_and_changes_nothing(
    here: Store, there: Store, change: object
) -> None:
    from photocloak.plugin.people import transfer

    data = here.roster.export(here.roster.everybody(), here.choose.library)
    table = transfer.unpack(data)
    assert callable(change)
    change(table)
    with pytest.raises(ConfigError), there.database.transaction() as connection:
        transfer.receive(connection, table, there.choose.library)
    assert there.roster.everybody() == []


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sealed._COST, "n", 16)


class TestSealing:
    def test_what_comes_out_is_what_went_in(self) -> None:
        data = b"faces" * 1000
        made = seal(data, "correct horse")
        assert made.startswith(HEAD) and data[:50] not in made
        assert unseal(made, "correct horse") == data
        with pytest.raises(ConfigError, match="the passphrase is wrong, or the file was damaged"):
            unseal(made, "correct hors")
        assert seal(data, "correct horse") != made, "salt and nonce are new each time"

    def test_a_letter_is_a_letter_however_it_was_typed(self, cheap: None) -> None:
        assert unseal(seal(b"x", "M\u00fcller 12"), "Mu\u0308ller 12") == b"x"

    @settings(max_examples=60)
    @given(place=st.integers(0, 200), bit=st.integers(0, 7), cut=st.integers(1, 200))
    def test_no_changed_or_missing_byte_goes_through(self, place: int, bit: int, cut: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sealed._COST, "n", 16)
            made = bytearray(seal(b"biometric data of a family" * 4, "correct horse"))
            for damaged in (bytes(made[:-cut]), bytes(made) + b"x"):
                with pytest.raises(ConfigError):
                    unseal(damaged, "correct horse")
            made[place % len(made)] ^= 1 << bit
            with pytest.raises(ConfigError):
                unseal(bytes(made), "correct horse")


class TestCommands:
    @pytest.fixture(autouse=True)
    def quick(self, cheap: None) -> None:
        """Not at full cost."""

    @pytest.fixture
    def known(self, folders: Folders) -> Roster:
        """Have somebody be known to the user."""
        from photocloak.engine.targets.library import TargetLibrary
        from photocloak.plugin.assembly import library_file
        from photocloak.plugin.people import profiles

        database = Database(folders.database)
        name = next(iter(TargetLibrary.load(library_file(folders)).targets))
        with database.transaction() as connection:
            profiles.add_person(connection, name="Ada", target=name, now=1e9)
        return Roster(database)

    def test_out_and_in(
        self,
        known: Roster,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        words, file = tmp_path / "words", tmp_path / "family.people"
        words.write_text("correct horse\n")
        option = ["--passphrase-file", str(words)]
        assert run(["people", "export", str(file), *option]) == 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert run(["people", "export", str(file), *option]) == 7, "nothing is overwritten"
        assert run(["people", "export", str(tmp_path / "b"), "Eve", *option]) == 3
        assert run(["people", "export", str(tmp_path / "no" / "b"), *option]) == 7
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
        assert run(["people", "import", str(file), *option]) == 0
        capsys.readouterr()
        assert run(["people", "list"]) == 0
        assert "Ada" in capsys.readouterr().out
        wrong = tmp_path / "wrong"
        wrong.write_text("another one")
        for where, code in ((file, 3), (words, 3), (tmp_path / "gone", 4)):
            assert run(["people", "import", str(where), "--passphrase-file", str(wrong)]) == code
            assert capsys.readouterr().err.startswith(f"photocloak: {where}: ")

    def test_passphrases(
        self, known: Roster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = str(tmp_path / "family.people")
        assert run(["people", "export", file]) == 2, "nobody can be asked here"
        assert "--passphrase-file" in capsys.readouterr().err
        (tmp_path / "short").write_text("1234567")
        assert run(["people", "export", file, "--passphrase-file", str(tmp_path / "short")]) == 3
        assert run(["people", "export", file, "--passphrase-file", str(tmp_path / "none")]) == 4
        assert not Path(file).exists()
