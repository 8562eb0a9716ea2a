"""One photo that cannot be placed waits or fails alone, and everything behind it goes on."""

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from photocloak.core import ExitCode
from photocloak.plugin import Job, Outcome, Outputs, Settings, Status
from photocloak.plugin.main import run
from photocloak.plugin.pipeline.messages import Tell
from photocloak.plugin.storage.written_files import signature_of
from photocloak.plugin.watch.blockers import BlockedError
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.runner import Runner
from photocloak.plugin.watch.tree import Candidate
from tests.plugin.watch.harness import Place, until


def test_a_file_where_a_folder_must_be(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a photo and of a copy of one that is done, which used to stop the daemon for good."""
    first = place.put("a.png")
    place.out.mkdir()
    (place.out / "sub").write_bytes(b"theirs")
    daemon = place.start()
    place.finished("a.png", within=150)
    (place.inbox / "sub" / "deep").mkdir(parents=True)
    shutil.copy(first, place.inbox / "sub" / "copy.png")
    place.put("sub/deep/other.png", 1)
    until(lambda: list(place.states().values()).count("waiting") == 2, 150, place.said)
    place.put("z.png", 2)
    place.finished("z.png", within=150)
    assert run(["status", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["trouble"], shown["waiting"], shown["queue"]) == (None, 2, 0)
    assert {one["status"] for one in shown["problems"]} == {"waiting"}
    assert all(f"{place.out / 'sub'} is not a folder" in one["reason"] for one in shown["problems"])
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert "waiting 2" in said and said.count("  waiting: ") == 2
    assert place.written() == ["a.png", "sub", "z.png"]
    (place.out / "sub").unlink()
    place.finished("sub/copy.png", "sub/deep/other.png", within=150)
    assert place.written() == ["a.png", "sub/copy.png", "sub/deep/other.png", "z.png"]
    assert place.said().count("waiting: ") == 2, "the same is not said twice"
    assert daemon.poll() is None


def test_no_permission_in_a_sub_folder(place: Place) -> None:
    first = place.put("a.png")
    shut = place.out / "sub"
    shut.mkdir(parents=True)
    shut.chmod(0o500)
    place.start(plain=True)
    place.finished("a.png", within=150)
    (place.inbox / "sub").mkdir()
    shutil.copy(first, place.inbox / "sub" / "copy.png")
    until(lambda: place.states().get("sub/copy.png") == "waiting", 150, place.said)
    place.put("z.png", 2)
    place.finished("z.png", within=150)
    shut.chmod(0o000)
    place.put("sub/hidden.png", 3)
    until(lambda: place.states().get("sub/hidden.png") == "waiting", 150, place.said)
    shut.chmod(0o700)
    place.finished("sub/copy.png", "sub/hidden.png", within=150)


def test_a_watched_sub_folder_that_may_not_be_read_stops_nothing(place: Place) -> None:
    place.put("shut/a.png")
    place.put("b.png", 1)
    daemon = place.start(plain=True)
    place.finished("shut/a.png", "b.png", within=150)
    place.put("shut/late.png", 2)
    (place.inbox / "shut").chmod(0)
    place.put("c.png", 3)
    place.finished("c.png", within=150)
    assert daemon.poll() is None
    (place.inbox / "shut").chmod(0o700)


class Answers:
    """A coordinator that gives the outcomes that a test says."""

    def __init__(self, *bad: str) -> None:
        self.bad = bad

    def meet(self, jobs: Sequence[Job], _: Tell) -> "Future[None]":
        """Nothing there is to see."""
        met: Future[None] = Future()
        met.set_result(None)
        return met

    def submit(self, job: Job, _: Tell) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        if job.source.name in self.bad:
            reason = f"{job.source}: the model cannot be run."
            outcome = Outcome(job.source, None, Status.FAILED, reason, code=ExitCode.MODEL)
        else:
            made = job.folder / job.source.name
            made.write_bytes(b"cloaked")
            outcome = Outcome(job.source, made, Status.CLOAKED)
        future.set_result(outcome)
        return future

    def close(self, *, wait: bool) -> None:
        """Nothing."""


def drive(place: Place, coordinator: Any, *names: str, turns: int = 12) -> list[str]:
    """Let the hands work on photos, and return what hindered them."""
    place.out.mkdir(exist_ok=True)
    queue = Queue(place.journal.database, place.out, lambda: 0.0)
    lock = OutputLock(place.out, place.folders)
    runner = Runner(
        place.out,
        place.folders,
        queue,
        lock,
        open_coordinator=lambda *_: coordinator,
        tell=lambda _: None,
        wake=lambda: None,
    )
    for name in names:
        photo = place.inbox / name
        photo.write_bytes(os.fsencode(name))
        queue.add(Candidate(photo, Path(), signature_of(photo) or ""), name.encode().hex())
    trouble = []
    for _ in range(turns):
        try:
            runner.turn(Settings())
        except BlockedError as error:
            trouble.append(str(error))
    lock.release()
    return trouble


def test_one_photo_that_a_model_cannot_do_is_not_everybodys_hindrance(place: Place) -> None:
    assert len(drive(place, Answers("b.png"), "a.png", "b.png", "c.png", "d.png")) == 1
    assert place.states() == {
        "a.png": "done", "b.png": "failed", "c.png": "done", "d.png": "done",
    }  # fmt: skip


def test_a_model_that_cannot_do_any_lets_all_wait(place: Place) -> None:
    assert (
        len(drive(place, Answers("a.png", "b.png", "c.png"), "a.png", "b.png", "c.png", turns=24))
        > 6
    )
    assert set(place.states().values()) == {"pending"}


def test_what_nobody_thought_of_is_the_photos_own_failure(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Outputs.of

    def strange(self: Outputs, source: Path) -> set[str]:
        if source.name == "a.png":
            raise RuntimeError("strange")
        return real(self, source)

    monkeypatch.setattr(Outputs, "of", strange)
    assert drive(place, Answers(), "a.png", "b.png") == []
    assert place.states() == {"a.png": "failed", "b.png": "done"}
    assert "unexpected RuntimeError: strange" in (place.entries()["a.png"].reason or "")


def test_photos_that_wait_are_forgotten_when_they_go_and_retried_on_request(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.out.mkdir()
    (place.out / "sub").write_bytes(b"theirs")
    queue = Queue(place.journal.database, place.out, lambda: 0.0)
    for name in ("a.png", "b.png"):
        photo = place.put(name)
        queue.add(Candidate(photo, Path("sub"), signature_of(photo) or ""), name)
        task = queue.next()
        assert task is not None
        queue.wait(task, "no room")
    assert queue.next() is None
    (place.inbox / "b.png").unlink()
    queue.prune()
    assert place.states() == {"a.png": "waiting"}
    assert run(["retry"]) == 0
    assert "1 to be done again" in capsys.readouterr().err
    again = queue.next()
    assert again is not None and (again.source.name, again.tries) == ("a.png", 0)
