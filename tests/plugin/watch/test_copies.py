"""What the daemon sees twice, made itself, or reaches by a link."""

import os
import shutil
import signal
import time

from photocloak.plugin import Database, Outputs, Status
from photocloak.plugin.main import run
from photocloak.plugin.watch.journal import State
from tests.plugin.fakes import PORTRAIT, write_photo
from tests.plugin.watch.harness import Place, decodes, files, until


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
    assert found["again.png"].output == out / "a.png", "it is there already"
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
