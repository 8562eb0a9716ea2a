"""What is asked of the command line every day: one file, a pipe, a look beforehand, quiet."""

import os
import re
from pathlib import Path

import pytest
from PIL import Image as Pillow

from photocloak.plugin import Database, Folders, assembly
from tests.plugin.everyday.saying import Cli, contents, files
from tests.plugin.fakes import write_photo
from tests.plugin.studio import NONE, ONE, TWO


class TestOneFile:
    def test_it_gets_the_name_and_again_is_done_before(self, cli: Cli, album: Path) -> None:
        wanted = album.parent / "new" / "me.png"
        for status in ("cloaked", "done_before"):
            said = cli("cloak", album / "a.png", "-o", wanted, "--json")
            assert said.code == 0, said.err
            assert [(row["status"], row["output"]) for row in said.rows] == [(status, str(wanted))]
        assert files(wanted.parent) == ["me.png"]
        before = wanted.read_bytes()
        assert cli("cloak", album / "a.png", "-o", wanted, "--seed", 3).code == 0
        assert wanted.read_bytes() != before
        assert files(wanted.parent) == ["me.png"]

    def test_two_names_are_two_files(self, cli: Cli, album: Path) -> None:
        out = album.parent / "out"
        assert cli("cloak", album / "a.png", "-o", out).code == 0
        for name in ("x.png", "y.PNG"):
            assert cli("cloak", album / "a.png", "-o", out / name).code == 0
        assert files(out) == ["a.png", "x.png", "y.PNG"]
        assert len(set(contents(out).values())) == 1

    def test_a_folder_of_that_name_stays_a_folder(self, cli: Cli, album: Path) -> None:
        (album.parent / "b.jpg").mkdir()
        assert cli("cloak", album / "a.png", "-o", album.parent / "b.jpg").code == 0
        assert files(album.parent / "b.jpg") == ["a.png"]

    @pytest.mark.parametrize("name", ["b.jpg", "b.heic", "b.tif"])
    def test_another_ending_is_an_error_in_words(self, cli: Cli, album: Path, name: str) -> None:
        wrong = album / "wrong.jpeg"  # its bytes count, not its name
        wrong.write_bytes((album / "a.png").read_bytes())
        said = cli("cloak", wrong, "-o", album.parent / "out" / name)
        assert said.code == 3
        assert f"is written as PNG, so {name} cannot be its name; end it in .png" in said.err
        assert not (album.parent / "out").exists()

    def test_a_preset_decides_the_ending(self, cli: Cli, album: Path) -> None:
        out = album.parent / "out"
        assert cli("cloak", album / "a.png", "-o", out / "b.png", "--preset", "web").code == 3
        assert cli("cloak", album / "a.png", "-o", out / "b.jpg", "--preset", "web").code == 0
        with Pillow.open(out / "b.jpg") as made:
            assert made.format == "JPEG"

    def test_somebody_elses_file_stays(self, cli: Cli, album: Path) -> None:
        out = album.parent / "out"
        assert cli("cloak", album / "trip" / "b.jpg", "-o", out / "b.jpg").code == 0
        write_photo(out / "c.png", *NONE, seed=9)
        (out / "link.png").symlink_to(album / "trip" / "c.png")
        there = contents(out)
        write_photo(album / "b.jpg", *ONE, seed=5)
        for source, name in (("b.jpg", "b.jpg"), ("a.png", "c.png"), ("a.png", "link.png")):
            said = cli("cloak", album / source, "-o", out / name)
            assert said.code == 7
            assert "is there already and was not made of this photo; it stays" in said.err
        assert contents(out) == there

    def test_the_photo_itself_is_never_replaced(self, cli: Cli, album: Path) -> None:
        before = contents(album)
        (album.parent / "link").symlink_to(album)
        for there in (album / "a.png", album.parent / "link" / "a.png"):
            said = cli("cloak", album / "a.png", "-o", there)
            assert said.code == 2 and "the photo itself" in said.err
        assert contents(album) == before

    def test_a_pipe_is_not_waited_for(self, cli: Cli, album: Path) -> None:
        os.mkfifo(album / "pipe.png")
        said = cli("cloak", album / "pipe.png", "-o", album.parent / "b.png")
        assert said.code == 4 and "this is not a file" in said.err

    def test_several_photos_need_a_folder(self, cli: Cli, album: Path) -> None:
        for inputs in ([album], [album / "a.png", album / "trip" / "b.jpg"]):
            said = cli("cloak", *inputs, "-o", album.parent / "b.jpg")
            assert said.code == 2 and "is the name of one photo" in said.err
        assert not (album.parent / "b.jpg").exists()


class TestStreams:
    def test_through_a_pipe_come_the_bytes_that_a_file_would_have(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        data = (album / "trip" / "b.jpg").read_bytes()
        assert cli("cloak", album / "trip" / "b.jpg", "-o", tmp_path / "f.jpg").code == 0
        said = cli("cloak", "-", "-o", "-", stdin=data)
        assert said.code == 0, said.err
        assert said.out == (tmp_path / "f.jpg").read_bytes()
        assert "proc" not in said.err and "tmp" not in said.err
        with Database(Folders.of_user().database).transaction() as connection:
            ((rows,),) = connection.execute("SELECT count(*) FROM results").fetchall()
        assert rows == 1, "the folder for standard output is forgotten"

    def test_each_end_alone(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        data = (album / "a.png").read_bytes()
        for _ in range(2):  # again: it is known by its content
            said = cli("cloak", "-", "-o", tmp_path / "x.png", "--json", stdin=data)
            assert said.code == 0, said.err
            assert [(row["source"], row["output"]) for row in said.rows] == [
                ("-", str(tmp_path / "x.png"))
            ]
        other = (album / "trip" / "b.jpg").read_bytes()
        assert cli("cloak", "-", "-o", tmp_path / "x.png", stdin=other).code == 3
        umask = os.umask(0o022)
        os.umask(umask)
        assert (tmp_path / "x.png").stat().st_mode & 0o777 == 0o666 & ~umask
        assert cli("cloak", album / "a.png", "-o", "-").out == (tmp_path / "x.png").read_bytes()

    @pytest.mark.parametrize(
        ("data", "code"), [(b"", 4), (b"no photo", 4), (b"\x89PNG\r\n\x1a\n broken", 4)]
    )
    def test_what_is_no_photo(self, cli: Cli, data: bytes, code: int) -> None:
        said = cli("cloak", "-", "-o", "-", stdin=data)
        assert (said.code, said.out) == (code, b"")
        assert "standard input: " in said.err and "/proc" not in said.err

    def test_held_back_is_nothing_on_stdout(self, cli: Cli, album: Path) -> None:
        data = (album / "trip" / "c.png").read_bytes()
        said = cli("cloak", "-", "-o", "-", stdin=data)
        assert (said.code, said.out) == (5, b"")
        assert "no face was found" in said.err

    @pytest.mark.parametrize(
        "arguments",
        [
            ("-", "-o", "-", "--json"),
            ("-", "-o", "-", "--dry-run"),
            ("-", "a.png", "-o", "out"),
            ("a.png", "b.png", "-o", "-"),
            (".", "-o", "-"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, cli: Cli, arguments: tuple[str, ...]) -> None:
        said = cli("cloak", *arguments)
        assert (said.code, said.out) == (2, b"")

    def test_nothing_stays_behind(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        place = tmp_path / "tmp"
        place.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tempfile.tempdir", str(place))
            cli("cloak", "-", "-o", "-", stdin=(album / "a.png").read_bytes())
        assert files(place) == []


class TestDryRun:
    def test_it_says_what_the_run_then_does(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        write_photo(album / "two.png", *TWO)
        out, data = tmp_path / "out", Folders.of_user().data
        said = cli("cloak", album, "-o", out, "--dry-run", "--json", "--progress", "plain")
        assert not out.exists() and not data.exists()
        would = {Path(row["source"]).name: row for row in said.rows}
        assert {name: row["status"] for name, row in would.items()} == {
            "a.png": "would_cloak",
            "b.jpg": "would_cloak",
            "c.png": "no_face",
            "two.png": "would_cloak",
        }
        assert said.code == 9
        assert "two.png: 2 faces would be cloaked (person-" in said.err
        assert said.err.endswith("1 held back · 3 would be cloaked\n")
        real = cli("cloak", album, "-o", out, "--json")
        faces = {Path(row["source"]).name: row["faces"] for row in real.rows}
        for name, row in would.items():
            assert [face["box"] for face in row["faces"]] == [f["box"] for f in faces[name]]
            assert [face["person"] for face in row["faces"]] == [f["person"] for f in faces[name]]
            assert all(face["dssim"] is None for face in row["faces"])

    def test_nothing_is_learned_or_written(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        out, database = tmp_path / "out", Folders.of_user().database
        assert cli("cloak", album / "a.png", "-o", out).code == 0
        before, there = database.read_bytes(), contents(out)
        write_photo(album / "copy.png", *ONE)
        said = cli("cloak", album, "-o", out, "--dry-run", "--json")
        status = {Path(row["source"]).name: row["status"] for row in said.rows}
        assert status["a.png"] == "done_before"
        assert status["copy.png"] == "would_copy"
        assert status["b.jpg"] == "would_cloak"
        assert database.read_bytes() == before
        assert contents(out) == there


class TestExclude:
    @pytest.mark.parametrize(
        ("globs", "left"),
        [
            (["trip"], ["a.png"]),
            (["trip/"], ["a.png"]),
            (["*.png"], ["b.jpg"]),
            (["trip/b.*"], ["a.png", "c.png"]),
            (["b.*", "c.*"], ["a.png"]),
            (["B.*"], ["a.png", "b.jpg", "c.png"]),
            (["rip"], ["a.png", "b.jpg", "c.png"]),
        ],
    )
    def test_by_name_or_path(
        self, cli: Cli, album: Path, tmp_path: Path, globs: list[str], left: list[str]
    ) -> None:
        options = [word for glob in globs for word in ("--exclude", glob)]
        said = cli("cloak", album, "-o", tmp_path / "o", "--dry-run", "--json", *options)
        assert sorted(Path(row["source"]).name for row in said.rows) == left
        if len(left) < 3:
            assert f"{3 - len(left)} passed over: {3 - len(left)} excluded" in said.err

    def test_named_files_and_all(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        said = cli("cloak", album / "a.png", "-o", tmp_path / "o", "--exclude", "*")
        assert said.code == 4 and "1 passed over: 1 excluded" in said.err


class TestPlaces:
    def test_results_are_not_mixed_with_photos(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(album)
        before = contents(album)
        for inputs in ([album], [album / "a.png"], [tmp_path / "link"]):
            said = cli("cloak", *inputs, "-o", album)
            assert said.code == 2
            assert f"such as -o {album}-cloaked" in said.err
        assert contents(album) == before

    def test_a_place_that_cannot_be_written_is_told_once_and_first(
        self, cli: Cli, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*_: object) -> None:
            raise AssertionError("the models are loaded")

        monkeypatch.setattr(assembly, "load_engine", never)
        (tmp_path / "file").write_text("")
        said = cli("cloak", album, "-o", tmp_path / "file" / "out", "--json")
        assert (said.code, said.out) == (7, b"")
        assert said.err.count("\n") == 1 and "file is not a folder" in said.err

    def test_the_same_failure_is_one_line_with_a_count(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        many = tmp_path / "many"
        for number in range(30):
            (many / f"IMG {number}.jpg").parent.mkdir(exist_ok=True)
            (many / f"IMG {number}.jpg").write_bytes(b"")
        (many / "text.jpg").write_text("hello")
        said = cli("cloak", many, "-o", tmp_path / "out", "--json", "--progress", "plain")
        assert len(said.rows) == 31
        assert said.err.count("the file is empty") == 2
        assert "failed: 29 more photos in the same way: the file is empty" in said.err
        assert said.err.count("this is a text") == 1
        quiet = cli("cloak", many, "-o", tmp_path / "out", "-q")
        assert quiet.err.count("\n") == 3
        assert cli("cloak", many, "-o", tmp_path / "out", "-v").err.count("is empty") == 30

    def test_quiet_says_nothing_when_all_is_well(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        said = cli("cloak", album / "a.png", "-o", tmp_path / "x.png", "-q")
        assert said == (0, b"", "")


NEUTRAL = re.compile(r"photo-[0-9a-f]{20}\.(png|jpg)")


class TestNeutralNames:
    def test_names_and_folders_tell_nothing_and_stay(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        write_photo(album / "2019 Paris" / "Ada.png", *ONE, seed=4)
        names = "--names", "neutral"
        assert cli("cloak", album, "-o", out, *names).code == 9
        there = contents(out)
        assert len(there) == 3 and all(NEUTRAL.fullmatch(name) for name in there)
        # Moved and renamed, in another mode, made once more: the name stays.
        (album / "2019 Paris" / "Ada.png").rename(album / "z.png")
        assert cli("cloak", album, "-o", out, *names, "--seed", 3, "--redo").code == 9
        again = contents(out)
        assert again.keys() == there.keys()
        assert not set(again.values()) & set(there.values())
        assert cli("cloak", album, "-o", tmp_path / "other", *names).code == 9
        assert contents(tmp_path / "other").keys() == there.keys()

    def test_a_files_own_time_tells_no_date(self, cli: Cli, album: Path, tmp_path: Path) -> None:
        then = 10**9
        photo = album / "a.png"
        os.utime(photo, (then, then))
        photo.chmod(0o444)
        for number, (told, options) in enumerate(
            [
                (True, ()),
                (True, ("--preset", "web")),
                (False, ("--names", "neutral")),
                (False, ("--preset", "anonymous")),
                (False, ("--preset", "anonymous", "--names", "keep")),
            ]
        ):
            out = tmp_path / str(number)
            assert cli("cloak", photo, "-o", out, *options).code == 0
            (written,) = out.iterdir()
            assert (written.stat().st_mtime == then) == told, options
            assert written.stat().st_mode & 0o200, "what is written can be written to"

    def test_another_user_has_other_names(
        self, cli: Cli, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else whoever has the clean photo could find the cloaked one by its name."""
        cli("cloak", album / "a.png", "-o", tmp_path / "one", "--names", "neutral")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another"))
        cli("cloak", album / "a.png", "-o", tmp_path / "two", "--names", "neutral")
        assert contents(tmp_path / "one").keys() != contents(tmp_path / "two").keys()

    def test_names_that_tell_are_gone_after_a_change_of_mind(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        for options, wanted in (
            ((), r"a\.png"),
            (("--names", "neutral"), NEUTRAL.pattern),
            (("--names", "keep"), r"a\.png"),
        ):
            said = cli("cloak", album / "a.png", "-o", out, "--json", *options)
            (name,) = files(out)
            assert re.fullmatch(wanted, name), name
            assert said.rows[0]["output"] == str(out / name)
            assert said.rows[0]["seconds"] < 60

    def test_copies_are_one_file_and_different_photos_never(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        (album / "copy.png").write_bytes((album / "a.png").read_bytes())
        for _ in range(2):
            said = cli("cloak", album, "-o", out, "--names", "neutral", "--json")
            made = {Path(row["source"]).name: row["output"] for row in said.rows}
            assert made["a.png"] == made["copy.png"] != made["b.jpg"]
            assert len(files(out)) == 2

    def test_the_preset_anonymous_is_neutral_unless_told_otherwise(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        preset = "--preset", "anonymous"
        assert cli("cloak", album / "a.png", "-o", tmp_path / "one", *preset).code == 0
        assert NEUTRAL.fullmatch(files(tmp_path / "one")[0])
        keep = "--names", "keep"
        assert cli("cloak", album / "a.png", "-o", tmp_path / "two", *preset, *keep).code == 0
        assert files(tmp_path / "two") == ["a.png"]
        assert cli("cloak", album / "a.png", "-o", tmp_path / "x.png", *preset).code == 0
        assert (tmp_path / "x.png").is_file(), "a name that was chosen is used"

    def test_the_setting(self, cli: Cli, album: Path, tmp_path: Path, folders: Folders) -> None:
        folders.config.mkdir(parents=True)
        folders.settings.write_text('names = "neutral"\n')
        assert cli("cloak", album / "a.png", "-o", tmp_path / "one").code == 0
        assert NEUTRAL.fullmatch(files(tmp_path / "one")[0])

    def test_what_is_cloaked_keeps_its_neutral_name(
        self, cli: Cli, album: Path, tmp_path: Path
    ) -> None:
        names = "--names", "neutral"
        cli("cloak", album / "a.png", "-o", tmp_path / "one", *names)
        said = cli("cloak", tmp_path / "one", "-o", tmp_path / "two", *names, "--json")
        assert said.rows[0]["status"] == "already_cloaked"
        assert contents(tmp_path / "one") == contents(tmp_path / "two")
