"""Who is in an album under review: names, merging, forgetting, and who is left as they are."""

import threading

import pytest

from photocloak.plugin import Outcome, Status
from photocloak.plugin.pipeline.messages import CloakedFile, CloakPlan
from tests.plugin.review.conftest import HOSTILE, Scene, texts


def test_two_in_one_photo_are_merged_only_if_the_user_is_sure(scene: Scene) -> None:
    one, other = (face.person for face in scene.photo("b.png").faces)
    assert one and other
    number = one.removeprefix("person-")
    for sure in (False, True):
        form = {"say": "merge", "with": other} | ({"sure": "yes"} if sure else {})
        answer = scene.client.post(f"/people/{number}", data=form)
        assert answer.status_code == (303 if sure else 409)
        people = {face.person for face in scene.settled().photo("b.png").faces}
        assert people >= {one} and (other in people) != sure
        if not sure:
            assert "in one photo together" in texts(answer.text)
            assert 'name="sure" value="yes"' in answer.text and 'value="merge"' in answer.text


def test_naming_as_somebody_beside_them_asks_too(scene: Scene) -> None:
    assert scene.say_of_face("b.png", 0, say="name_all", name="Ada").status_code == 303
    answer = scene.say_of_face("b.png", 1, say="name_all", name="Ada")
    assert answer.status_code == 409 and "in one photo together" in texts(answer.text)
    sure = scene.say_of_face("b.png", 1, say="name_all", name="Ada", sure="yes")
    assert sure.status_code == 303


@pytest.mark.parametrize("merged", [False, True])
def test_who_gets_a_name_while_a_photo_is_in_work_has_it_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    scene.say_of_face("a.png", 0, say="name_all", name="Ada")
    begun, go_on = threading.Event(), threading.Event()
    decisions = scene.desk.maker._coordinator._decisions
    publish = decisions.publish

    def waits(plan: CloakPlan, cloaked: CloakedFile) -> Outcome:
        begun.set()
        assert go_on.wait(60)
        return publish(plan, cloaked)

    monkeypatch.setattr(decisions, "publish", waits)
    before = scene.photo(HOSTILE)
    (face,) = before.faces
    assert face.person and face.person_id
    scene.say_of_face(HOSTILE, 0, say="stronger")
    assert begun.wait(60)
    scene.desk.corrector.call(face.person, "Ada" if merged else "Eve")
    go_on.set()
    (after,) = scene.settled().photo(HOSTILE).faces
    assert after.person == ("Ada" if merged else "Eve")
    assert (after.person_id == face.person_id) != merged
    assert after.mode == "strong"


def test_a_name_is_that_of_now_for_what_was_done_before(scene: Scene) -> None:
    (face,) = scene.photo("a.png").faces
    scene.desk.roster.name(str(face.person_id), "Eve")
    scene.open()
    assert [one.person for one in scene.settled().photo("a.png").faces] == ["Eve"]


def test_naming_somebody_makes_nothing_anew(scene: Scene) -> None:
    before = scene.photo("a.png").outcome
    scene.say_of_face("a.png", say="name_all", name="Ada <b>")
    after = scene.photo("a.png")
    assert not after.waits and after.faces[0].person == "Ada <b>"
    assert before is not None and after.outcome is not None
    assert after.outcome.output_sha256 == before.output_sha256
    page = scene.client.get(f"/photo/{after.number}").text
    assert "Ada &lt;b&gt;" in page and "Ada <b>" not in page


def test_the_same_name_twice_is_one_person(scene: Scene) -> None:
    scene.say_of_face("a.png", say="name_all", name="Ada")
    other = scene.photo("b.png").faces[0].person
    scene.say_of_face("b.png", 0, say="name_all", name="ada")
    scene.settled()
    assert scene.photo("b.png").faces[0].person == "Ada" != other
    assert [one.label for one in scene.desk.roster.everybody()].count("Ada") == 1


def test_one_face_can_be_somebody_else(scene: Scene) -> None:
    scene.say_of_face("b.png", 1, say="name_one", name="Grace")
    scene.settled()
    assert scene.photo("b.png").faces[1].person == "Grace"


def test_forgetting_somebody(scene: Scene) -> None:
    scene.say_of_face("a.png", say="name_all", name="Ada")
    person = next(one for one in scene.desk.roster.everybody() if one.name == "Ada")
    assert scene.client.post(f"/people/{person.id}", data={"say": "forget"}).status_code == 303
    scene.settled()
    assert all(one.id != person.id for one in scene.desk.roster.everybody())
    assert scene.photo("a.png").faces[0].person != "Ada"


def test_everyone_but_one_is_cloaked_in_this_album(scene: Scene) -> None:
    scene.say_of_face("b.png", 1, say="name_all", name="Grace")
    before = {one.source: one.outcome for one in scene.desk.album.photos}
    person = next(one for one in scene.desk.roster.everybody() if one.name == "Grace")
    assert scene.client.post(f"/people/{person.id}", data={"say": "spare"}).status_code == 303
    scene.settled()
    assert [face.cloaked for face in scene.photo("b.png").faces] == [True, False]
    for one in scene.desk.album.photos:
        assert one.source.name == "b.png" or one.outcome is before[one.source]
    assert "left as they are in this album" in scene.client.get("/people/").text
    scene.open()
    scene.settled()
    again = scene.photo("b.png").outcome
    assert again is not None and again.status is Status.DONE_BEFORE
    scene.client.post(f"/people/{person.id}", data={"say": "cloak"})
    scene.settled()
    assert [face.cloaked for face in scene.photo("b.png").faces] == [True, True]
