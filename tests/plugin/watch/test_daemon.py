"""The daemon as a process: what it takes, what it makes of it, and what it leaves alone."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from photocloak.plugin import Status
from photocloak.plugin.main import run
from tests.plugin.fakes import BARE, CRASH, GROUP, HANG, PORTRAIT, write_photo
from tests.plugin.json_schema import conforms
from tests.plugin.watch.harness import Place, until


def test_what_lay_there_and_what_comes_is_done_with_sub_folders_mirrored(place: Place) -> None:
    place.put("before.png")
    place.put("trip/day 1/ü'\"😀.jpg", 1)
    daemon = place.start()
    place.put("after.png", 2, GROUP)
    (place.inbox / "new" / "deep").mkdir(parents=True)
    place.put("new/deep/late.png", 3)
    names = ("before.png", "trip/day 1/ü'\"😀.jpg", "after.png", "new/deep/late.png")
    found = place.finished(*names)
    assert {found[name].status for name in names} == {Status.CLOAKED}
    assert place.written() == sorted(names)
    assert all(found[name].output == place.out / name for name in names)
    assert found["after.png"].faces[1]["similarity"], "the evidence is kept"
    assert place.stop(daemon) == 0


def test_held_back_and_failed_photos_are_listed_with_the_reason_and_can_be_retried(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.put("bare.png", size=BARE)
    place.put("crash.png", size=CRASH)
    place.put("good.png", 1)
    (place.inbox / "broken.jpg").write_bytes(b"no photo")
    daemon = place.start()
    place.finished("bare.png", "crash.png", "good.png", "broken.jpg")
    assert place.states() == {
        "bare.png": "held", "crash.png": "failed", "good.png": "done", "broken.jpg": "failed",
    }  # fmt: skip
    assert run(["status", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    conforms("overview", shown)
    assert (shown["alive"], shown["pid"], shown["queue"]) == (True, daemon.pid, 0)
    assert (shown["done"], shown["held"], shown["failed"]) == (1, 1, 2)
    assert shown["per_hour"] > 0 and shown["eta"] == 0
    reasons = {Path(one["source"]).name: one["reason"] for one in shown["problems"]}
    assert "SIGSEGV" in reasons["crash.png"] and "no face" in reasons["bare.png"]
    assert run(["status"]) == 0
    assert f"running (process {daemon.pid})" in capsys.readouterr().out
    before = {name: one.finished for name, one in place.entries().items()}
    assert run(["retry"]) == 0
    until(lambda: all(
        place.entries()[name].finished != before[name] and place.states()[name] != "pending"
        for name in ("bare.png", "crash.png", "broken.jpg")
    ))  # fmt: skip
    assert place.entries()["good.png"].finished == before["good.png"]
    assert place.stop(daemon) == 0
    run(["status"])
    assert "not running" in capsys.readouterr().out


def test_the_status_shows_what_is_in_hand(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    slow = place.put("slow.png", size=HANG)
    daemon = place.start()
    until(lambda: place.states() == {"slow.png": "working"})
    assert run(["status"]) == run(["status", "--json"]) == 0
    shown = capsys.readouterr().out
    assert f"  in hand: {slow}\n" in shown
    assert json.loads(shown.splitlines()[-1])["in_hand"] == [str(slow)]
    daemon.kill()
    daemon.wait()
    assert run(["status"]) == 0
    assert "in hand" not in capsys.readouterr().out, "nobody has it in hand any more"


def test_a_worker_that_crashes_costs_one_photo(place: Place) -> None:
    for number in range(3):
        place.put(f"{number}-good.png", number)
        place.put(f"{number}-crash.png", number, CRASH)
    daemon = place.start()
    found = place.finished(*(f"{n}-{what}.png" for n in range(3) for what in ("good", "crash")))
    assert daemon.poll() is None
    statuses = {name: one.status for name, one in found.items()}
    assert {name for name, status in statuses.items() if status is Status.CLOAKED} == {
        "0-good.png", "1-good.png", "2-good.png",
    }  # fmt: skip
    assert place.written() == ["0-good.png", "1-good.png", "2-good.png"]


def test_a_slow_writer_is_waited_for(place: Place) -> None:
    place.start()
    data = write_photo(place.home / "whole.png", *PORTRAIT).read_bytes()
    with (place.inbox / "slow.png").open("wb", buffering=0) as file:
        for start in range(0, len(data), len(data) // 4 + 1):
            file.write(data[start : start + len(data) // 4 + 1])
            time.sleep(0.7)  # longer than the file must be quiet: it is still open for writing
            assert place.states() == {}
    found = place.finished("slow.png")
    assert found["slow.png"].status is Status.CLOAKED
    assert place.said().count("cloaked: ") == 1


def test_a_writer_that_closes_in_between_ends_with_the_whole_photo(place: Place) -> None:
    place.start()
    data = write_photo(place.home / "whole.png", *PORTRAIT).read_bytes()
    for start in range(0, len(data), 20_000):
        with (place.inbox / "slow.png").open("ab") as file:
            file.write(data[start : start + 20_000])
        time.sleep(0.15)
    until(lambda: place.written() == ["slow.png"])
    assert place.finished("slow.png")["slow.png"].status is Status.CLOAKED


@pytest.mark.parametrize("name", [
    "a.jpg.part", "a.jpg.crdownload", "a.tmp", "a.jpg~", ".syncthing.a.jpg.tmp", ".a.jpg.Xy12",
    "~syncthing~a.jpg.tmp", ".goutputstream-AB12.png", ".nextcloud.a.png", "notes.txt",
    "BatchTool-EpEjEz-9e1c7a12.digikamtempfile.png",
])  # fmt: skip
def test_temporary_names_are_passed_over_until_renamed(place: Place, name: str) -> None:
    photo = write_photo(place.home / "p.png", *PORTRAIT)
    shutil.copy(photo, place.inbox / name)
    place.start()
    time.sleep(1.2)
    assert place.states() == {}
    (place.inbox / name).rename(place.inbox / "done.png")
    place.finished("done.png")
    assert place.written() == ["done.png"]


def test_dropped_events_lose_nothing(place: Place) -> None:
    place.start(drop=1.0)
    names = [f"{number % 3}/{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        place.put(name, number)
    place.finished(*names)
    assert place.written() == sorted(names)


def test_where_there_are_no_events_it_polls(place: Place) -> None:
    place.start(polls=True, pace={"rescan": 3600})
    place.put("sub/a.png")
    place.finished("sub/a.png")


def test_an_event_is_enough_without_a_scan(place: Place) -> None:
    place.start(pace={"rescan": 3600})
    place.put("a.png")
    place.put("new/sub/b.png", 1)
    place.finished("a.png", "new/sub/b.png")


def test_one_daemon_an_output_folder_and_a_dead_one_leaves_no_lock(place: Place) -> None:
    first = place.start()
    (place.home / "alias").symlink_to(place.out)
    second = place.start(output=place.home / "alias", wait=False)
    assert second.wait(20) == 3
    assert "another photocloak watches" in place.said()
    first.kill()
    first.wait()
    third = place.start()
    place.put("a.png")
    place.finished("a.png")
    assert place.stop(third) == 0


def test_sigterm_finishes_the_photo_in_hand(place: Place) -> None:
    names = [f"{number}.png" for number in range(12)]
    for number, name in enumerate(names):
        place.put(name, number)
    daemon = place.start()
    until(lambda: "cloaked: " in place.said())
    assert place.stop(daemon) == 0
    states = place.states()
    assert "working" not in states.values()
    done = sorted(name for name, state in states.items() if state == "done")
    assert 0 < len(done) < len(names), "it ended before the queue was empty"
    assert place.written() == done
    assert sorted(states) == sorted(names)


def test_sigterm_returns_what_takes_too_long(place: Place) -> None:
    place.put("a.png", size=(98, 128))  # HANG
    daemon = place.start(pace={"grace": 0.5})
    until(lambda: "working" in place.states().values())
    started = time.monotonic()
    assert place.stop(daemon) == 0
    assert time.monotonic() - started < 10
    assert place.states() == {"a.png": "pending"}


def test_sighup_reads_the_settings_and_changed_ones_apply_to_old_photos_on_request(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = place.start()
    place.put("a.png")
    assert place.finished("a.png")["a.png"].preset == "keep"
    place.folders.config.mkdir(parents=True, exist_ok=True)
    place.folders.settings.write_text('preset = "web"\n')
    daemon.send_signal(signal.SIGHUP)
    place.put("b.png", 1)
    assert place.finished("b.png")["b.png"].preset == "web"
    assert place.entries()["a.png"].preset == "keep"
    run(["retry", str(place.inbox / "a.png")])
    assert "1 to be done again" in capsys.readouterr().err
    until(lambda: place.entries()["a.png"].preset == "web" and place.states()["a.png"] == "done")
    place.folders.settings.write_text("preset = 3\n")
    daemon.send_signal(signal.SIGHUP)
    until(lambda: "were not read again" in place.said())
    place.put("c.png", 2)
    assert place.finished("c.png")["c.png"].preset == "web"


def test_folders_of_the_settings_file(place: Place) -> None:
    place.folders.config.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", "from photocloak.plugin.main import main; main()", "watch"]
    nothing = subprocess.run(command, capture_output=True, text=True, check=False)
    assert nothing.returncode == 3 and "watch_output" in nothing.stderr
    place.folders.settings.write_text(f'watch = ["{place.inbox}"]\nwatch_output = "{place.out}"\n')
    daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert daemon.stderr is not None
        assert daemon.stderr.readline() == (
            f"watching {place.inbox}; cloaked photos go to {place.out}\n"
        )
    finally:
        daemon.terminate()
        daemon.communicate()
    assert daemon.returncode == 0


def test_neutral_names_tell_nothing_of_the_folders_either(place: Place) -> None:
    place.folders.config.mkdir(parents=True)
    place.folders.settings.write_text('names = "neutral"\n')
    place.put("2019 Paris/Ada.png", 1)
    place.put("Ada.png", 2)
    place.start()
    place.finished("2019 Paris/Ada.png", "Ada.png")
    made = place.written()
    assert len(made) == 2
    assert all(re.fullmatch(r"photo-[0-9a-f]{20}\.png", name) for name in made)
