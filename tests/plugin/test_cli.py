"""The command line: arguments in, JSON on stdout, words on stderr, and the right exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from photocloak import exporters
from photocloak.engine.modes import load_mode
from photocloak.plugin import Database, Folders, assembly
from photocloak.plugin.commands import running
from photocloak.plugin.main import run
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.settings import load_settings
from tests.plugin.fakes import face_at, make_engine, write_photo
from tests.plugin.json_schema import conforms, kind_of
from tests.plugin.studio import FACES, ONE, decisions_of, write_album

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def engine() -> Engine:
    return make_engine(FACES)


@pytest.fixture
def cli(engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a way to run the command line with fake extractors: (exit code, JSON, stderr)."""
    monkeypatch.setattr(assembly, "load_engine", lambda *_: engine)
    monkeypatch.setattr(running, "ALBUM", 1000)  # the fakes are in this process alone
    monkeypatch.setattr(
        assembly, "open_decisions", lambda folders: decisions_of(engine, Database(folders.database))
    )
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=12))

    def call(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        code = run([str(one) for one in arguments])
        out, err = capsys.readouterr()
        rows = [json.loads(line) for line in out.splitlines()]
        for row in rows:
            conforms(kind_of([str(one) for one in arguments]), row)
        return int(code), rows, err

    return call


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return write_album(tmp_path / "album")


class TestCloak:
    def test_one_photo(self, cli: Run, album: Path, tmp_path: Path) -> None:
        code, rows, err = cli("cloak", album / "a.png", "-o", tmp_path / "out", "--json")
        assert code == 0
        assert [row["status"] for row in rows] == ["cloaked"]
        assert rows[0]["output"] == str(tmp_path / "out" / "a.png")
        assert err.startswith(f"cloaked: {album / 'a.png'} → ")

    def test_stdout_is_data_only(self, cli: Run, album: Path, tmp_path: Path) -> None:
        assert cli("cloak", album / "a.png", "-o", tmp_path / "out")[1] == []

    def test_a_folder_is_mirrored_and_a_problem_does_not_stop_it(
        self, cli: Run, album: Path, tmp_path: Path
    ) -> None:
        (album / "broken.jpg").write_bytes(b"")
        code, rows, err = cli("cloak", album, "-o", tmp_path / "out", "--json")
        assert code == 9
        statuses = [(Path(row["source"]).name, row["status"]) for row in rows]
        assert sorted(statuses) == [
            ("a.png", "cloaked"),
            ("b.jpg", "cloaked"),
            ("broken.jpg", "failed"),
            ("c.png", "no_face"),
        ]
        there = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
        assert there == [tmp_path / "out" / "a.png", tmp_path / "out" / "trip" / "b.jpg"]
        assert "\n2 cloaked · 1 held back · 1 failed\n" in err

    def test_a_batch_without_problems_is_done(self, cli: Run, album: Path, tmp_path: Path) -> None:
        code, rows, _ = cli("cloak", album, "-o", tmp_path / "o", "--no-face", "copy", "--json")
        assert code == 0
        assert [row["output"] is None for row in rows] == [False, False, False]

    def test_outputs_inside_the_input_are_not_fed_back(self, cli: Run, album: Path) -> None:
        for status in ("cloaked", "done_before"):
            code, rows, _ = cli("cloak", album, "-o", album / "out", "--json")
            assert sorted(row["status"] for row in rows) == sorted([status, status, "no_face"])
        code, rows, err = cli("cloak", album / "out", "-o", album / "out", "--json")
        assert (code, rows) == (2, [])
        assert "lies in the folder that the results shall go to" in err

    def test_new_profiles_are_told_of_once(self, cli: Run, album: Path, tmp_path: Path) -> None:
        _, _, err = cli("cloak", album / "a.png", "-o", tmp_path / "out")
        assert " new" not in err, "the first person cannot be anybody else"
        _, _, err = cli("cloak", album, "-o", tmp_path / "out", "--progress", "plain")
        said, last = err.splitlines()[-2:]
        assert last == "1 cloaked · 1 done before · 1 held back"
        assert said.startswith("1 person was new; if some are one person") and "merge" in said
        _, _, err = cli("cloak", album, "-o", tmp_path / "again")
        assert " new" not in err, "nobody is new any more"

    @pytest.mark.parametrize("style", ["json", "none"])
    def test_programs_are_not_told_of_new_profiles(
        self, cli: Run, album: Path, tmp_path: Path, style: str
    ) -> None:
        _, _, err = cli("cloak", album, "-o", tmp_path / "out", "--progress", style)
        assert " new" not in err

    def test_a_person_with_a_name_is_not_new(self, cli: Run, album: Path, tmp_path: Path) -> None:
        for name, photo in (("Ada", "a.png"), ("Eve", "trip/b.jpg")):
            _, _, err = cli("cloak", album / photo, "-o", tmp_path / "out", "--person", name)
            assert " new" not in err

    def test_progress_for_programs(self, cli: Run, album: Path, tmp_path: Path) -> None:
        _, _, err = cli("cloak", album / "trip", "-o", tmp_path / "out", "--progress", "json")
        events = [json.loads(line) for line in err.splitlines()]
        for event in events:
            conforms("progress", event)
        for number, status in ((1, "cloaked"), (2, "no_face")):
            own = [one for one in events if one["photo"] == number]
            told = [one["event"] for one in own if one["event"] != "step"]
            assert told == ["looked", "begin", "end"]
            assert (own[-1]["status"], own[1]["total"]) == (status, 2)
        assert [one["event"] for one in events[:2]] == ["looked", "looked"]
        steps = [one["done"] for one in events if one["event"] == "step"]
        assert steps[:12] == list(range(1, 13))

    def test_no_progress_still_tells_of_problems(
        self, cli: Run, album: Path, tmp_path: Path
    ) -> None:
        _, _, err = cli("cloak", album, "-o", tmp_path / "out", "--progress", "none")
        assert err.startswith("no_face: ") and err.count("\n") == 1

    def test_names_cannot_play_with_the_terminal(
        self, cli: Run, tmp_path: Path, album: Path
    ) -> None:
        odd = (album / "a.png").rename(album / "x\n\x1b[31m ü😀'\".png")
        code, rows, err = cli("cloak", odd, "-o", tmp_path / "out", "--json")
        assert (code, rows[0]["source"]) == (0, str(odd))
        assert "\x1b" not in err and err.count("\n") == 1
        assert (tmp_path / "out" / odd.name).is_file()

    def test_a_name_that_is_not_utf_8(self, cli: Run, tmp_path: Path, album: Path) -> None:
        odd = (album / "a.png").rename(album / "caf\udce9.png")
        for _ in range(2):
            code, rows, _ = cli("cloak", odd, "-o", tmp_path / "out", "--json")
            assert (code, rows[0]["output"]) == (0, str(tmp_path / "out" / odd.name))

    def test_person_and_target_folder(self, cli: Run, album: Path, tmp_path: Path) -> None:
        other = write_photo(tmp_path / "them" / "x.png", *ONE, seed=5).parent
        options = ["-o", tmp_path / "out", "--person", "Ada", "--target-folder", other, "--json"]
        _, rows, _ = cli("cloak", album / "a.png", *options)
        assert rows[0]["faces"][0]["person"] == "Ada"
        _, people, _ = cli("people", "list", "--json")
        assert people[0]["target"].startswith("folder-")
        code, _, err = cli("cloak", album, "-o", tmp_path, "--target-folder", tmp_path / "none")
        assert code == 3 and "not a folder" in err


class TestExitCodes:
    def test_of_a_single_photo(self, cli: Run, album: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert cli("cloak", album / "trip" / "c.png", "-o", out)[0] == 5
        assert cli("cloak", album / "missing.jpg", "-o", out)[0] == 4
        assert cli("cloak", album / "a.png", "-o", album / "trip" / "c.png")[0] == 7
        assert not out.exists()

    def test_of_a_cloak_that_is_too_weak(
        self, cli: Run, engine: Engine, album: Path, tmp_path: Path
    ) -> None:
        for one in engine.ensemble.extractors.values():
            one.spec = replace(one.spec, threshold=-1.0)  # type: ignore[misc]
        assert cli("cloak", album / "a.png", "-o", tmp_path / "out")[0] == 8
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--mode", "ballanced"], "no mode 'ballanced'"),
            (["--preset", "kep"], "Did you mean keep"),
            (["--person", "7"], "looks like an id"),
        ],
    )
    def test_of_a_wrong_value(
        self, cli: Run, album: Path, tmp_path: Path, options: list[str], said: str
    ) -> None:
        code, rows, err = cli("cloak", album, "-o", tmp_path / "out", "--json", *options)
        assert (code, rows) == (3, []) and said in err

    @pytest.mark.parametrize(
        "arguments",
        [["cloak"], ["cloak", "a.jpg"], ["clock"], ["cloak", "a", "-o", "b", "--seed", "-1"]],
    )
    def test_of_wrong_usage(self, cli: Run, arguments: list[str]) -> None:
        code, _, err = cli(*arguments)
        assert code == 2 and "Usage:" in err

    def test_of_an_empty_folder(self, cli: Run, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        code, _, err = cli("cloak", tmp_path / "empty", "-o", tmp_path / "out")
        assert code == 4 and "no photos" in err

    def test_of_an_interrupt(
        self, cli: Run, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(exporters, "prepare", interrupted)
        code, _, err = cli("cloak", album / "a.png", "-o", tmp_path / "out")
        assert code == 130 and "interrupted" in err and "Traceback" not in err

    def test_of_a_mistake_of_ours(
        self, cli: Run, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("oops")

        monkeypatch.setattr(assembly, "open_decisions", broken)
        code, _, err = cli("cloak", album / "a.png", "-o", tmp_path / "out")
        assert code == 1 and "unexpected ZeroDivisionError: oops" in err
        assert "Traceback" not in err

    def test_of_settings_with_a_mistake(self, cli: Run, folders: Folders, album: Path) -> None:
        folders.config.mkdir(parents=True)
        folders.settings.write_text("moed = 'strong'")
        code, _, err = cli("cloak", album, "-o", album / "out")
        assert code == 3 and "did you mean 'mode'" in err


def test_people_can_be_listed_named_merged_and_forgotten(
    cli: Run, album: Path, tmp_path: Path
) -> None:
    assert cli("people", "list") == (0, [], "")
    cli("cloak", album, "-o", tmp_path / "out")
    _, people, _ = cli("people", "list", "--json")
    assert [one["photos"] for one in people] == [1, 1]
    assert cli("people", "name", "1", "Ada")[0] == 0
    assert cli("people", "merge", "Ada", "person-2")[0] == 0
    _, people, _ = cli("people", "list", "--json")
    assert [(one["name"], one["photos"]) for one in people] == [("Ada", 2)]
    assert set(people[0]) == {"id", "name", "target", "photos", "created", "last_seen"}
    assert cli("people", "forget")[0] == 2
    assert cli("people", "forget", "Eve")[0] == 3
    assert cli("people", "forget", "--all-unnamed")[0] == 0, "there is nobody to ask about"
    assert cli("people", "forget", "Ada") == (0, [], "forgot Ada\n")
    assert cli("people", "list") == (0, [], "")


def test_only_me(cli: Run, folders: Folders, album: Path, tmp_path: Path) -> None:
    photo, out = album / "a.png", tmp_path / "out"
    code, rows, err = cli("cloak", photo, "-o", out, "--faces", "me", "--json")
    assert (code, rows) == (3, []) and "nobody has one yet" in err
    assert cli("cloak", photo, "-o", out, "--faces", "me", "--person", "Ada")[0] == 0
    _, rows, _ = cli("cloak", album, "-o", out, "--faces", "me", "--json")
    rows.sort(key=lambda row: str(row["source"]))
    assert [row["status"] for row in rows] == ["cloaked", "nobody_named", "no_face"]
    assert [face["cloaked"] for row in rows for face in row["faces"]] == [True, False]
    folders.config.mkdir(parents=True, exist_ok=True)
    folders.settings.write_text('faces = "me"')
    assert cli("cloak", album / "trip" / "b.jpg", "-o", out)[0] == 5
    assert cli("cloak", album / "trip" / "b.jpg", "-o", out, "--faces", "everyone")[0] == 0


class TestStart:
    def test_nothing_heavy_is_loaded_before_it_is_needed(self) -> None:
        heavy = ["numpy", "onnx", "onnxruntime", "PIL", "pyexiv2", "torch", "tqdm", "sqlite3"]
        program = (
            "import sys; from photocloak.plugin.main import run; run(['--help']); "
            f"sys.exit(','.join(one for one in {heavy} if one in sys.modules) or 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_whoever_stops_reading_is_no_mistake(self) -> None:
        command = f"{Path(sys.executable).with_name('photocloak')} cloak --help | true"
        done = subprocess.run(command, shell=True, check=False, capture_output=True, text=True)
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr

    def test_the_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--version"]) == 0
        assert capsys.readouterr().out.startswith("photocloak ")


def test_uncertain_faces_hold_back(cli: Run, engine: Engine, album: Path, tmp_path: Path) -> None:
    hopeless = face_at(5, 5, 30, score=0.6, upright=False)
    engine.detector.faces = {ONE: [hopeless]}  # type: ignore[attr-defined]
    code, rows, _ = cli("cloak", album / "a.png", "-o", tmp_path / "out", "--json")
    assert (code, rows[0]["status"], rows[0]["output"]) == (5, "uncertain", None)


def test_only_and_except_are_one_or_the_other(cli: Run, album: Path, tmp_path: Path) -> None:
    photo, out = album / "a.png", tmp_path / "out"
    code, _, err = cli("cloak", photo, "-o", out, "--only", "Ada", "--except", "Bob")
    assert code == 2 and "give one of them" in err


def test_somebody_unknown_is_told_with_who_is_known(cli: Run, album: Path, tmp_path: Path) -> None:
    photo, out = album / "a.png", tmp_path / "out"
    assert cli("cloak", photo, "-o", out, "--person", "Ada")[0] == 0
    for option in ("--only", "--except"):
        code, rows, err = cli("cloak", photo, "-o", out, option, "Eve", "--json")
        assert (code, rows) == (3, []) and "nobody 'Eve'; there are: Ada" in err
    code, rows, _ = cli("cloak", photo, "-o", out, "--except", "Ada", "--json")
    assert (code, rows[0]["status"]) == (0, "left_alone")


def test_the_fallback_is_a_setting_too(cli: Run, folders: Folders, album: Path) -> None:
    assert cli("cloak", album, "-o", album / "out", "--fallback", "melt")[0] == 2
    folders.config.mkdir(parents=True, exist_ok=True)
    folders.settings.write_text('fallback = "pixelate"')
    settings = load_settings(folders.settings)
    assert settings.fallback == "pixelate"
    assert settings.with_flags(fallback="hold").fallback == "hold"
