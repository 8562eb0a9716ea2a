"""People by command: seen on a page, joined with what that costs, forgotten after a question."""

import re
import stat
from pathlib import Path

import pytest
from PIL import Image as Pillow

from photocloak.plugin import Database, Folders, Roster
from photocloak.plugin.report.people import FACES
from tests.plugin.everyday.saying import Cli, contents
from tests.plugin.fakes import write_photo
from tests.plugin.studio import ONE, TWO


@pytest.fixture
def roster(folders: Folders) -> Roster:
    return Roster(Database(folders.database))


class TestPage:
    def test_everybody_is_on_it_with_their_faces(
        self, cli: Cli, album: Path, tmp_path: Path, folders: Folders
    ) -> None:
        write_photo(album / "two.png", *TWO, seed=3)
        assert cli("cloak", album, "-o", tmp_path / "out").code == 9
        assert cli("people", "name", "1", "<Ada> & co").code == 0
        said = cli("people", "list", "--page")
        path = Path(said.out.decode().strip())
        assert path.is_relative_to(folders.data)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        page = path.read_text("utf-8")
        assert page.count("<article") == 4
        assert page.count('src="data:image/jpeg') == 4
        assert "&lt;Ada&gt; &amp; co" in page and "<Ada>" not in page
        for label in ("person-2", "person-3", "person-4"):
            assert label in page
        assert "default-src &#x27;none&#x27;" in page

    def test_a_face_is_cut_where_it_is_though_the_preset_made_the_photo_smaller(
        self, cli: Cli, tmp_path: Path, folders: Folders
    ) -> None:
        preset = folders.config / "presets" / "small.toml"
        preset.parent.mkdir(parents=True)
        preset.write_text('title = "x"\nmetadata = "none"\nedge = 160\nnames = "keep"\n')
        photo = write_photo(tmp_path / "in" / "large.png", 2 * ONE[0], 2 * ONE[1])
        assert cli("cloak", photo, "-o", tmp_path / "out", "--preset", "small").code == 0
        page = Path(cli("people", "list", "--page").out.decode().strip()).read_text("utf-8")
        sizes = re.findall(r'<img[^>]* width="(\d+)" height="(\d+)"', page)
        # The face is 70 pixels of the small photo, so 140 of this one, and more than a thumbnail.
        assert [width for width, _ in sizes] == ["128"]

    def test_what_has_gone_or_changed_is_not_shown(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        cli("cloak", album, "-o", tmp_path / "out")
        write_photo(album / "a.png", *ONE, seed=99)
        (album / "trip" / "b.jpg").unlink()
        page = Path(cli("people", "list", "--page").out.decode().strip()).read_text("utf-8")
        assert "data:image" not in page
        assert page.count("No photo of theirs lies where it was") == 2

    def test_no_more_than_some(self, cli: Cli, tmp_path: Path) -> None:
        photo = write_photo(tmp_path / "in" / "0.png", *ONE)
        for number in range(1, FACES + 2):  # the same pixels, in other bytes
            with Pillow.open(photo) as image:
                image.save(photo.with_name(f"{number}.png"), compress_level=number)
        cli("cloak", tmp_path / "in", "-o", tmp_path / "out")
        page = Path(cli("people", "list", "--page").out.decode().strip()).read_text("utf-8")
        assert (page.count("<article"), page.count("data:image/jpeg")) == (1, FACES)

    def test_nobody(self, cli: Cli) -> None:
        page = Path(cli("people", "list", "--page").out.decode().strip()).read_text("utf-8")
        assert "Nobody is known yet" in page


class TestMerge:
    def test_what_is_to_be_made_again_is_named_and_made_as_it_was(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        cli("cloak", album, "-o", out, "--preset", "web", "--seed", 5)
        before = contents(out)
        said = cli("people", "merge", "1", "2")
        assert said.code == 0
        assert "1 output teaches the other target still" in said.err
        assert str(out / "trip" / "b.jpg") in said.err and str(out / "a.jpg") not in said.err
        assert contents(out) == before, "nobody could be asked"
        rows = cli("cloak", album, "-o", out, "--preset", "web", "--seed", 5, "--json").rows
        assert [row["status"] for row in rows if row["source"].endswith("b.jpg")] == ["cloaked"]

    def test_redo(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        options = "--preset", "web", "--seed", 5
        cli("cloak", album, "-o", out, *options)
        before = contents(out)
        assert cli("people", "merge", "1", "2", "--redo").code == 0
        after = contents(out)
        assert after.keys() == before.keys()
        assert after["a.jpg"] == before["a.jpg"]
        assert after["trip/b.jpg"] != before["trip/b.jpg"]
        rows = cli("cloak", album, "-o", out, *options, "--json").rows
        done = {Path(row["source"]).name: row["status"] for row in rows}
        assert done == {"a.png": "done_before", "b.jpg": "done_before", "c.png": "no_face"}

    @pytest.mark.parametrize("answer", ["y", "n", None])
    def test_two_in_one_photo_are_merged_only_if_that_is_said(
        self,
        cli: Cli,
        album: Path,
        monkeypatch: pytest.MonkeyPatch,
        roster: Roster,
        answer: str | None,
    ) -> None:
        write_photo(album / "two.png", *TWO)
        cli("cloak", album / "two.png", "-o", album.parent / "out")
        if answer is None:
            refused = cli("people", "merge", "1", "2")
            assert refused.code == 3 and "in one photo together" in refused.err
            assert "--yes" in refused.err and len(roster.everybody()) == 2
            assert cli("people", "merge", "1", "2", "--yes").code == 0
        else:
            monkeypatch.setattr("photocloak.plugin.commands.people.asks", lambda: True)
            said = cli("people", "merge", "1", "2", stdin=f"{answer}\nn\n".encode())
            assert (said.code == 0) == (answer == "y")
        assert len(roster.everybody()) == 1 + (answer == "n")

    @pytest.mark.parametrize("answer", [True, False])
    def test_on_a_terminal_it_asks(
        self, cli: Cli, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bool
    ) -> None:
        out, asked = tmp_path / "out", list[str]()

        def confirm(text: str, **_: object) -> bool:
            asked.append(text)
            return answer

        cli("cloak", album, "-o", out)
        before = contents(out)
        monkeypatch.setattr("photocloak.plugin.commands.people.asks", lambda: True)
        monkeypatch.setattr("click.confirm", confirm)
        assert cli("people", "merge", "1", "2").code == 0
        assert asked == ["Cloak them again?"]
        assert (contents(out) == before) != answer

    def test_what_an_earlier_version_wrote_is_left_to_the_user(
        self, cli: Cli, album: Path, tmp_path: Path, folders: Folders
    ) -> None:
        cli("cloak", album, "-o", tmp_path / "out")
        with Database(folders.database).transaction() as connection:
            connection.execute("UPDATE results SET how = NULL")
        before = contents(tmp_path / "out")
        said = cli("people", "merge", "1", "2", "--redo")
        assert said.code == 0 and "1 were made by an earlier photocloak" in said.err
        assert contents(tmp_path / "out") == before

    def test_the_same_target_needs_nothing(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        cli("cloak", album / "a.png", "-o", tmp_path / "out", "--person", "Ada")
        with Database(Folders.of_user().database).transaction() as connection:
            query = "INSERT INTO people (name, target, created, last_seen) "
            connection.execute(f"{query} SELECT 'B', target, created, last_seen FROM people")
        assert "teach" not in cli("people", "merge", "Ada", "B").err


class TestForget:
    def test_the_unnamed_are_not_forgotten_unasked(
        self, cli: Cli, album: Path, tmp_path: Path, roster: Roster
    ) -> None:
        cli("cloak", album, "-o", tmp_path / "out")
        cli("people", "name", "1", "Ada")
        said = cli("people", "forget", "--all-unnamed")
        assert said.code == 2 and "forget 1 person without a name" in said.err
        assert len(roster.everybody()) == 2
        assert cli("people", "forget", "--all-unnamed", "--yes").code == 0
        assert [one.label for one in roster.everybody()] == ["Ada"]

    @pytest.mark.parametrize("answer", ["y", "n", ""])
    def test_the_answer_counts(
        self, cli: Cli, album: Path, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        cli("cloak", album / "a.png", "-o", album.parent / "out")
        monkeypatch.setattr("photocloak.plugin.commands.people.asks", lambda: True)
        code = cli("people", "forget", "--all-unnamed", stdin=f"{answer}\n".encode()).code
        assert (code == 0) == (answer == "y")
        everybody = Roster(Database(Folders.of_user().database)).everybody()
        assert len(everybody) == (answer != "y")


class TestSomebodyElsesFace:
    def test_a_name_is_refused_on_it_and_nothing_is_learned(
        self, cli: Cli, album: Path, tmp_path: Path, roster: Roster
    ) -> None:
        out = tmp_path / "out"
        assert cli("cloak", album / "a.png", "-o", out, "--person", "Ada").code == 0
        before = roster.everybody()
        said = cli("cloak", album / "a.png", "-o", out, "--person", "Laura")
        assert said.code == 3
        assert "its face looks like Ada, not like Laura" in said.err
        assert "--person Ada" in said.err
        assert [one.label for one in roster.everybody()] == ["Ada"]
        assert roster.everybody()[0].photos == before[0].photos
        assert cli("cloak", album / "a.png", "-o", out, "--person", "ADA").code == 0

    def test_the_others_of_a_run_are_done(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        cli("cloak", album / "a.png", "-o", tmp_path / "out", "--person", "Ada")
        said = cli("cloak", album, "-o", tmp_path / "two", "--person", "Laura", "--json")
        done = {Path(row["source"]).name: row["status"] for row in said.rows}
        assert done == {"a.png": "failed", "b.jpg": "cloaked", "c.png": "no_face"}

    def test_somebody_without_a_name_gets_it(
        self, cli: Cli, album: Path, tmp_path: Path, roster: Roster
    ) -> None:
        cli("cloak", album / "a.png", "-o", tmp_path / "out")
        assert cli("cloak", album / "a.png", "-o", tmp_path / "out", "--person", "Laura").code == 0
        assert [one.label for one in roster.everybody()] == ["Laura"]

    def test_the_look_beforehand_says_it_too(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        cli("cloak", album / "a.png", "-o", tmp_path / "out", "--person", "Ada")
        said = cli("cloak", album / "a.png", "-o", tmp_path / "o", "--person", "Eve", "--dry-run")
        assert said.code == 3 and "looks like Ada" in said.err


def test_presets_are_explained_and_made(cli: Cli, album: Path, folders: Folders) -> None:
    said = cli("presets").out.decode()
    assert "web: For your own site" in said and "longest edge at most 2560 px" in said
    made = cli("presets", "new", "my-club")
    path = Path(made.out.decode().strip())
    assert path == folders.config / "presets" / "my-club.toml"
    assert cli("presets", "new", "my-club").code == 3
    for wrong in ("web", "../x", "a b", ""):
        assert cli("presets", "new", wrong).code == 3
    assert "my-club (your own)" in cli("presets").out.decode()
    photo, out = album / "a.png", album.parent / "out"
    assert cli("cloak", photo, "-o", out, "--preset", "my-club").code == 0
    # Every line that is commented out is one that may be used.
    text = path.read_text("utf-8")
    keys = re.findall(r"^# (\w+) = ", text, re.MULTILINE)
    assert set(keys) == {"width", "height", "bytes", "names"}
    path.write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert cli("cloak", photo, "-o", out, "--preset", "my-club").code == 0
    path.write_text("title = 1")
    said_of = cli("presets")
    assert said_of.code == 0 and "my-club.toml" in said_of.err and b"web:" in said_of.out
