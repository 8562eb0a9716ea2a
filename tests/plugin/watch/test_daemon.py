"""The daemon as a process: what it takes, what it makes of it, and what it leaves alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from photocloak.plugin import Database, Outputs, Status
from photocloak.plugin.main import run
from photocloak.plugin.watch.journal import State
from tests.plugin.fakes import BARE, CRASH, GROUP, HANG, PORTRAIT, write_photo
from tests.plugin.watch.harness import Place, decodes, files, until


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
    "a.tmp-123.png",
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


def test_a_second_copy_gets_the_same_bytes_without_being_done_again(place: Place) -> None:
    first = place.put("a.png")
    place.start()
    place.finished("a.png")
    shutil.copy(first, place.inbox / "b.png")
    (place.inbox / "sub").mkdir()
    shutil.copy(first, place.inbox / "sub" / "a.png")
    found = place.finished("b.png", "sub/a.png")
    assert place.written() == ["a.png", "b.png", "sub/a.png"]
    assert len({(place.out / name).read_bytes() for name in place.written()}) == 1
    assert found["b.png"].faces == found["a.png"].faces != []
    database = Outputs(Database(place.folders.database))
    assert database.knows(found["b.png"].made_sha256 or "")
    with Database(place.folders.database).transaction() as connection:
        (seen,) = connection.execute("SELECT count(*) FROM sightings").fetchone()
    assert seen == 1


def test_copies_that_come_at_once_get_the_same_bytes(place: Place) -> None:
    for name in ("a.png", "b.png", "c.png"):
        place.put(name)
    place.start()
    place.finished("a.png", "b.png", "c.png")
    assert len({(place.out / name).read_bytes() for name in ("a.png", "b.png", "c.png")}) == 1


def test_a_copy_of_an_edited_output_is_done_anew(place: Place) -> None:
    first = place.put("a.png")
    place.start()
    place.finished("a.png")
    (place.out / "a.png").write_bytes(b"edited")
    shutil.copy(first, place.inbox / "b.png")
    place.finished("b.png")
    assert decodes(place.out / "b.png")


def test_new_content_takes_the_place_of_the_old_output_and_a_new_date_does_nothing(
    place: Place,
) -> None:
    place.put("a.png", 1)
    place.start()
    first = place.finished("a.png")["a.png"]
    os.utime(place.inbox / "a.png", (1, 1))
    time.sleep(1.5)
    assert place.entries()["a.png"].finished == first.finished
    place.put("a.png", 2)
    until(lambda: place.finished("a.png")["a.png"].sha256 != first.sha256)
    assert place.finished("a.png")["a.png"].made_sha256 != first.made_sha256
    assert place.written() == ["a.png"]


def test_where_only_named_people_are_cloaked_a_copy_is_looked_at_again(place: Place) -> None:
    first = place.put("a.png")
    place.put("z.png", 1)
    daemon = place.start()
    found = place.finished("a.png", "z.png")
    somebody, other = (found[name].faces[0]["person"] for name in ("a.png", "z.png"))
    assert somebody != other
    run(["people", "name", other, "Zoe"])
    place.folders.config.mkdir(parents=True, exist_ok=True)
    place.folders.settings.write_text('faces = "me"\n')
    daemon.send_signal(signal.SIGHUP)
    until(lambda: place.said().count("settings were read") == 1)
    shutil.copy(first, place.inbox / "b.png")
    assert place.finished("b.png")["b.png"].status is Status.NOBODY_NAMED
    assert place.states()["b.png"] == "held" and place.written() == ["a.png", "z.png"]


def test_own_outputs_are_never_fed_back(place: Place) -> None:
    place.put("a.png")
    out = place.inbox / "cloaked"
    place.start(output=out)
    place.finished("a.png")
    shutil.copy(out / "a.png", place.inbox / "again.png")
    found = place.finished("again.png")
    assert found["again.png"].status is Status.ALREADY_CLOAKED
    assert found["again.png"].output is None
    time.sleep(1.0)
    assert files(out) == ["a.png"]
    assert set(place.entries()) == {"a.png", "again.png"}


def test_two_daemons_cannot_feed_each_other(place: Place) -> None:
    place.put("a.png")
    place.start()
    place.finished("a.png")
    second = place.start(folders=[place.out], output=place.inbox)
    assert second.wait(20) == 3
    assert "in circles" in place.said()


def test_links_out_of_the_folder_are_refused_and_loops_not_walked(place: Place) -> None:
    secret = write_photo(place.home / "elsewhere" / "x.png", *PORTRAIT)
    (place.inbox / "loop").symlink_to(place.inbox)
    (place.inbox / "away").symlink_to(secret.parent)
    (place.inbox / "link.png").symlink_to(secret)
    place.put("a.png", 1)
    (place.inbox / "inside.png").symlink_to("a.png")
    place.start()
    found = place.finished("a.png", "link.png", "inside.png")
    assert set(found) == {"a.png", "link.png", "inside.png"}
    assert found["link.png"].state is State.FAILED
    assert "link out of the watched folder" in (found["link.png"].reason or "")
    assert place.written() == ["a.png", "inside.png"]


def test_a_link_in_the_output_folder_leads_nowhere(place: Place) -> None:
    away = place.home / "away"
    away.mkdir()
    place.out.mkdir()
    (place.out / "sub").symlink_to(away)
    place.put("sub/a.png")
    place.start()
    assert "through a link" in (place.finished("sub/a.png")["sub/a.png"].reason or "")
    assert files(away) == []


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
