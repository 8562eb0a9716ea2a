"""An album under review: nothing is published before it is, and what is said is done."""

import os

import pytest

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin import Database, Outputs, Status
from photocloak.plugin.review import staging
from photocloak.plugin.review.staging import Staging
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.results import Results
from tests.plugin.fakes import write_photo
from tests.plugin.review.conftest import HOSTILE, Scene, texts
from tests.plugin.studio import ONE


def test_nothing_is_published_before_the_button_is_pressed(scene: Scene) -> None:
    assert not (scene.home / "out").exists()
    assert scene.photo("a.png").ready and scene.photo("b.png").ready
    assert scene.client.post("/publish").status_code == 303
    scene.settled()
    assert scene.written() == sorted(["a.png", "b.png", HOSTILE, "trip/a.png"])


def test_what_is_published_is_what_was_seen_and_known_as_our_own(scene: Scene) -> None:
    seen = scene.photo("a.png").outcome
    assert seen is not None and seen.output is not None
    scene.say("a.png", say="publish")
    scene.settled()
    assert scene.written() == ["a.png"]
    published = scene.home / "out" / "a.png"
    assert published.read_bytes() == seen.output.read_bytes()
    database = Database(scene.home / "data" / "photocloak.db")
    assert Outputs(database).knows(str(seen.output_sha256))
    result = Results(database).of(scene.home / "in" / "a.png", scene.home / "out")
    assert result is not None and result.made_sha256 == seen.output_sha256 and result.intact
    assert scene.photo("a.png").published == published


def test_publishing_twice_is_publishing_once(scene: Scene) -> None:
    for _ in range(2):
        scene.client.post("/publish")
        scene.settled()
    before = {one: (scene.home / "out" / one).stat().st_mtime_ns for one in scene.written()}
    scene.open()
    scene.settled()
    assert {one.source.name for one in scene.desk.album.photos if one.published} == {
        "a.png", "b.png", HOSTILE,
    }  # fmt: skip
    scene.client.post("/publish")
    scene.settled()
    assert before == {one: (scene.home / "out" / one).stat().st_mtime_ns for one in scene.written()}


def test_a_file_of_somebody_else_is_not_overwritten(scene: Scene) -> None:
    theirs = write_photo(scene.home / "out" / "a.png", *ONE, seed=99).read_bytes()
    scene.say("a.png", say="publish")
    scene.settled()
    assert scene.written() == ["a-2.png", "a.png"]
    assert (scene.home / "out" / "a.png").read_bytes() == theirs


def test_a_staged_file_that_was_changed_is_not_published(scene: Scene) -> None:
    seen = scene.photo("a.png").outcome
    assert seen is not None and seen.output is not None
    seen.output.chmod(0o600)
    seen.output.write_bytes((scene.home / "in" / "a.png").read_bytes())
    scene.say("a.png", say="publish")
    scene.settled()
    assert scene.written() == []
    assert "look at it once more" in texts(scene.client.get("/").text)


def test_a_photo_that_was_changed_since_is_not_published(scene: Scene) -> None:
    write_photo(scene.home / "in" / "a.png", *ONE, seed=55)
    scene.say("a.png", say="publish")
    scene.settled()
    assert scene.written() == []


def test_the_staging_folder_is_private(scene: Scene) -> None:
    place = scene.desk._staging.folder
    while place != scene.home:
        assert place.stat().st_mode & 0o077 == 0
        place = place.parent
        if place.name == "data":
            assert place.stat().st_mode & 0o077 == 0
            break


def test_a_correction_makes_that_photo_anew_and_no_other(scene: Scene) -> None:
    before = {one.source: one.outcome for one in scene.desk.album.photos}
    assert scene.say_of_face("b.png", 0, say="stronger").status_code == 303
    scene.settled()
    changed = scene.photo("b.png")
    assert changed.faces[0].mode == "strong" and changed.faces[1].mode == "balanced"
    assert changed.outcome is not None and before[changed.source] is not None
    assert changed.outcome.output_sha256 != before[changed.source].output_sha256  # type: ignore[union-attr]
    for one in scene.desk.album.photos:
        if one.source != changed.source:
            assert one.outcome is before[one.source]


def test_leaving_a_face_and_cloaking_it_again(scene: Scene) -> None:
    first = scene.photo("a.png").outcome
    scene.say_of_face("a.png", say="leave")
    scene.settled()
    left = scene.photo("a.png")
    assert left.outcome is not None and left.outcome.status is Status.LEFT_ALONE
    assert not left.faces[0].cloaked and left.ready
    page = texts(scene.client.get(f"/photo/{left.number}").text)
    assert "ready, not cloaked" in page and "You said: left as it is" in page
    scene.say_of_face("a.png", say="cloak")
    scene.settled()
    again = scene.photo("a.png").outcome
    assert again is not None and first is not None and again.output_sha256 == first.output_sha256


def test_what_is_no_face_is_remembered_and_can_be_taken_back(scene: Scene) -> None:
    scene.say_of_face("b.png", 1, say="not_a_face")
    scene.settled()
    photo = scene.photo("b.png")
    assert len(photo.faces) == 1
    page = scene.client.get(f"/photo/{photo.number}").text
    assert "It is a face after all" in page
    box = scene.desk.corrector.none(photo)[0]
    at = "-".join(map(str, box))
    assert scene.client.get(f"/photo/{photo.number}/face/{at}/before.jpg").status_code == 200
    scene.client.post(f"/photo/{photo.number}/face/{at}", data={"say": "reset"})
    scene.settled()
    assert len(scene.photo("b.png").faces) == 2


def test_another_target_is_another_cloak(scene: Scene) -> None:
    first = scene.photo("a.png").outcome
    scene.say_of_face("a.png", say="another_target")
    scene.settled()
    second = scene.photo("a.png").outcome
    assert first is not None and second is not None
    assert second.output_sha256 not in {None, first.output_sha256}


def test_what_is_held_back_says_why_and_what_can_be_done(scene: Scene) -> None:
    photo = scene.photo("c.png")
    page = scene.client.get(f"/photo/{photo.number}").text
    assert "no face found" in page and "Publish it as it is" in page
    scene.say("c.png", say="as_it_is")
    scene.settled()
    assert scene.photo("c.png").ready
    scene.open()
    assert scene.settled().photo("c.png").ready
    scene.say("c.png", say="hold")
    assert scene.settled().photo("c.png").held


def test_a_broken_file_can_be_tried_again(scene: Scene) -> None:
    photo = scene.photo("broken.png")
    assert photo.failed
    assert "Try again" in scene.client.get(f"/photo/{photo.number}").text
    write_photo(photo.source, *ONE, seed=9)
    scene.say("broken.png", say="again")
    assert scene.settled().photo("broken.png").ready


def test_hostile_names_are_text_everywhere(scene: Scene) -> None:
    scene.say_of_face(HOSTILE, say="name_all", name="<script>pwned=2</script>")
    number = scene.photo(HOSTILE).number
    for page in ("/", f"/tile/{number}", f"/photo/{number}", f"/panel/{number}", "/people/"):
        text = scene.client.get(page).text
        assert "<img src=x" not in text and "<script>pwned" not in text
    assert "&lt;img src=x" in scene.client.get("/").text


@pytest.mark.parametrize(
    "path",
    ["/photo/0", "/photo/999", "/photo/1/before/huge.jpg", "/photo/1/secret/tile.jpg",
     "/photo/1/face/1-2-3/before.jpg", "/photo/1/face/1-2-3-x/before.jpg", "/people/99/0.jpg",
     "/tile/77", "/static/../app.py", "/nothing"],
)  # fmt: skip
def test_what_is_not_there_is_not_there(scene: Scene, path: str) -> None:
    answer = scene.client.get(path)
    assert answer.status_code == 404 and "Traceback" not in answer.text


def test_a_face_that_is_gone_is_told_and_nothing_is_kept(scene: Scene) -> None:
    """Two tabs: the second still shows what the first one has changed."""
    photo = scene.photo("b.png")
    at = "-".join(map(str, photo.faces[1].found or ()))
    scene.say_of_face("b.png", 1, say="not_a_face")
    scene.settled()
    answer = scene.client.post(f"/photo/{photo.number}/face/{at}", data={"say": "stronger"})
    assert answer.status_code == 409 and "no longer there" in answer.text
    assert scene.client.post(f"/photo/{photo.number}", data={"say": "burn"}).status_code == 409


def test_an_album_is_open_in_one_process_at_a_time(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="another `photocloak review`"):
        Staging(scene.desk._staging.folder)


def test_pictures_are_what_they_say(scene: Scene) -> None:
    number = scene.photo("a.png").number
    for which in ("before", "after", "change"):
        for edge in ("tile", "screen", "whole"):
            answer = scene.client.get(f"/photo/{number}/{which}/{edge}.jpg")
            assert answer.status_code == 200 and answer.mimetype == "image/jpeg"
            pixels = exporters.read_bytes(answer.data, "x.jpg").pixels
            assert pixels.shape[:2] == ONE


def test_the_state_tells_what_changed(scene: Scene) -> None:
    state = scene.client.get("/state?since=0").json
    assert state is not None and not state["busy"] and len(state["photos"]) == 7
    later = scene.client.get(f"/state?since={state['version']}").json
    assert later is not None and later["photos"] == {}
    scene.say("broken.png", say="again")
    scene.settled()
    later = scene.client.get(f"/state?since={state['version']}").json
    assert later is not None
    assert set(later["photos"]) == {str(scene.photo("broken.png").number)}


def test_it_is_said_how_long_the_rest_takes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = scene.desk.maker
    assert maker.left is None, "nothing is to be made"
    scene.desk.album.change(1, waits=True)
    assert "1 photo still to be made." in texts(scene.client.get("/summary").text)
    monkeypatch.setattr(maker._pace, "left", lambda: 150.0)
    maker._in_hand.add(1)
    assert "1 photo still to be made, about 2 min left." in texts(scene.client.get("/summary").text)
    state = scene.client.get("/state").json
    assert state is not None and "about 2 min left" in state["summary"]
    maker._in_hand.discard(1)


def test_albums_not_opened_for_long_are_cleared_away(scene: Scene) -> None:
    folders = Folders(scene.home / "config", scene.home / "data")
    folder = scene.desk._staging.folder
    old = folder / "album.json"
    os.utime(old, (1, 1))
    staging.sweep(folders)  # it is open
    assert old.exists()
    scene.open().close()
    os.utime(old, (1, 1))
    staging.sweep(folders)
    assert not folder.exists()


def test_a_face_is_blurred_instead(scene: Scene) -> None:
    scene.say_of_face("a.png", say="blur")
    scene.settled()
    photo = scene.photo("a.png")
    assert photo.faces[0].fallback == "blur"
    page = texts(scene.client.get(f"/photo/{photo.number}").text)
    assert "You said: blurred" in page and "Cloak it" in page


def test_a_spot_that_may_be_a_face_is_shown_and_can_be_told_to_be_none(scene: Scene) -> None:
    photo = scene.photo("odd.png")
    assert photo.outcome is not None and photo.outcome.status is Status.UNCERTAIN
    page = texts(scene.client.get(f"/photo/{photo.number}").text)
    assert "a face cannot be cloaked" in page and "Not a face" in page
    scene.say_of_face("odd.png", 1, say="not_a_face")
    assert scene.settled().photo("odd.png").ready
