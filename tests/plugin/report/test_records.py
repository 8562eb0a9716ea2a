"""What a report is made of: a run's JSON lines, from a file or a pipe, or the daemon's journal."""

import io
import json
from pathlib import Path, PurePath
from typing import Any

import pytest

from photocloak.plugin import Database, FaceOutcome, Folders, Outcome, Settings, Status, assembly
from photocloak.plugin.main import run
from photocloak.plugin.report import page
from photocloak.plugin.report.pictures import Album
from photocloak.plugin.report.records import of_journal
from photocloak.plugin.watch.journal import Journal, JournalEntry, State
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.tree import Candidate
from tests.plugin.fakes import face_at, make_engine, write_photo
from tests.plugin.html.test_html import Reader
from tests.plugin.report.made import (
    FACE,
    Make,
    cloaked,
    pictured,
    sha256,
    specs,
)
from tests.plugin.studio import decisions_of


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        '{"source": "a.jpg"}',
        "[" * 100_000,
        json.dumps({"source": "a\0b"}),
    ],
)
def test_what_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(line + "\n")
    assert run(["report", str(path)]) == 4
    err = capsys.readouterr().err
    assert "run.jsonl: " in err and "photocloak cloak --json" in err


@pytest.mark.parametrize(
    "change",
    [
        {"source": 7},
        {"source": "a\0"},
        {"status": "fine"},
        {"reason": ["x"]},
        {"faces": [FACE | {"dssim": float("nan")}]},
        {"faces": [FACE | {"box": [1, 2, 3]}]},
        {"faces": [FACE | {"similarity": {"hse": "x"}}]},
        {"faces": 3},
        {"seconds": True},
    ],
)
def test_a_wrong_line_is_named(make: Make, tmp_path: Path, change: dict[str, Any]) -> None:
    code, _, err = make(cloaked(tmp_path, "a.png"), cloaked(tmp_path, "b.png") | change)
    assert code == 4 and "line 2 is not an outcome of `photocloak cloak --json`; name" in err


def test_a_missing_run_and_an_empty_journal_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", str(tmp_path / "none.jsonl")]) == 4
    assert run(["report", str(tmp_path)]) == 4
    assert run(["report"]) == 4
    err = capsys.readouterr().err
    assert "none.jsonl: cannot be read" in err and "No photo of a watched folder" in err


def test_the_journal_is_read_with_those_that_wait() -> None:
    done = JournalEntry(
        source=Path("/in/a.jpg"),
        output=Path("/out/a.jpg"),
        state=State.DONE,
        status=Status.CLOAKED,
        reason=None,
        faces=[FACE],
        mode="strong",
        preset="web",
        finished=1.0,
        folder=Path("/out"),
        sha256="1",
        made_sha256="2",
    )
    waits = JournalEntry(
        Path("/in/b.jpg"),
        None,
        State.PENDING,
        None,
        None,
        [],
        None,
        None,
        None,
        Path("/out"),
        "",
        None,
    )
    rows, waiting = of_journal([done, waits])
    assert waiting == 1
    assert [(row.source_sha256, row.output_sha256, row.mode) for row in rows] == [
        ("1", "2", "strong")
    ]
    shown = Reader(page.report(rows, specs(), Album(), what="x", made="now", waiting=1).decode())
    assert "mode strong · preset web" in shown.words and "not done yet" in shown.words


def test_a_run_comes_through_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real command line, with fake recognisers: what `cloak --json` prints is understood."""
    engine = make_engine({(120, 160): [face_at(40, 20, 70)]})
    monkeypatch.setattr(assembly, "load_engine", lambda *_: engine)
    monkeypatch.setattr(
        assembly, "open_decisions", lambda folders: decisions_of(engine, Database(folders.database))
    )
    photo = write_photo(tmp_path / "in" / "a.png", 120, 160)
    assert run(["cloak", str(photo), "-o", str(tmp_path / "out"), "--json"]) == 0
    printed = capsys.readouterr().out.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(printed)))
    assert run(["report", "-"]) == 0
    shown = Reader(Path(capsys.readouterr().out.strip()).read_text("utf-8"))
    assert "a.png, cloaked" in pictured(shown) and "The run on standard input" in shown.words


def test_the_watched_folders_are_reported_from_their_journal(
    tmp_path: Path, folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real journal, filled through the daemon's own queue."""
    watched, out = tmp_path / "in", tmp_path / "out"
    row = cloaked(tmp_path, "a.png")
    source = Path(row["source"])
    journal = Journal.of_user(folders)
    queue = Queue(journal.database, out, lambda: 1e9)
    queue.sign_on([watched])
    queue.add(Candidate(source, PurePath(), "1"), sha256(source))
    task = queue.next()
    assert task is not None
    queue.begin(task, [], Settings(mode="strong"))
    face = FaceOutcome((40, 30, 60, 80), "Ada", 0.01, {"hse": 0.4}, "balanced")
    outcome = Outcome(source, Path(row["output"]), Status.CLOAKED, faces=(face,))
    queue.finish(task, outcome, sha256(Path(row["output"])))
    queue.add(Candidate(watched / "b.png", PurePath(), "1"), "0")
    assert run(["report"]) == 0
    shown = Reader(Path(capsys.readouterr().out.strip()).read_text("utf-8"))
    assert "a.png, cloaked" in pictured(shown)
    assert "mode strong" in shown.words and "not done yet1" in shown.words
    for folder in (watched, out):
        assert run(["report", "-o", str(folder / "r.html")]) == 3
        assert not (folder / "r.html").exists()
