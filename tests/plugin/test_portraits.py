"""Where people's faces were seen, for the pages that show who is who."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.engine.modes import load_mode
from photocloak.plugin import UserHint
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.portraits import Seen, clearest, seen_in
from photocloak.plugin.storage.results import Results
from tests.plugin.fakes import write_photo
from tests.plugin.studio import TWO, Studio

LEFT, RIGHT = (20, 20, 80, 80), (150, 30, 70, 70)


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("preset", ["keep", "instagram"])
def test_everybodys_faces_are_found_in_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, earlier: bool
) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=2))
    studio = Studio(tmp_path)
    group = write_photo(studio.photo.with_name("group.png"), *TWO)
    studio.pipeline.run(studio.job(group, hint=UserHint("Ada"), preset=preset))
    if earlier:
        with studio.database.transaction() as connection:
            ((text,),) = connection.execute("SELECT outcome FROM results").fetchall()
            outcome = json.loads(text)
            for face in outcome["faces"]:
                del face["person_id"]
            connection.execute("UPDATE results SET outcome = ?", (json.dumps(outcome),))
    found = seen_in(Results(studio.database).showing([1, 2]))
    assert {who: [one.box for one in seen] for who, seen in found.items()} == {
        1: [LEFT],
        2: [RIGHT],
    }


def test_the_largest_comes_first_and_a_photo_once(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "copy of b", "gone")]
    for path in paths[:3]:
        path.touch()
    a, b, copy, gone = paths
    faces = [
        Seen(a, "1", (0, 0, 10, 10)),
        Seen(b, "2", (0, 0, 30, 30)),
        Seen(copy, "2", (0, 0, 30, 30)),
        Seen(gone, "3", (0, 0, 90, 90)),
        Seen(a, "1", (5, 5, 20, 20)),
    ]
    assert [(one.path, one.box[2]) for one in clearest(faces)] == [(b, 30), (a, 20)]
