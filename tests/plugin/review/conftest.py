"""An album of made-up photos under review, without a model and without a browser."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from photocloak.engine.cloaker import Cloak, OnStep
from photocloak.engine.detection.alignment import Image
from photocloak.engine.subject import FaceCloak, Subject
from photocloak.plugin import Database, Settings
from photocloak.plugin.executors.threads import WorkerThreads
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.review.album import Photo
from photocloak.plugin.review.app import make_app
from photocloak.plugin.review.desk import Desk, Means
from photocloak.plugin.review.staging import Staging, wishes_of
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.inputs import find_photos
from tests.plugin.fakes import face_at, make_engine, write_photo
from tests.plugin.studio import FACES, NONE, ONE, TWO, decisions_of

ODD = (140, 200)
CAST = {**FACES, ODD: [face_at(40, 20, 70), face_at(130, 40, 50, upright=False)]}
"""With a photo in which one of two spots cannot be aligned."""

HOSTILE = "<img src=x onerror=pwned=1>&\"'.png"


class QuickCloaker:
    """Puts noise on the faces, which depends on all that a cloak does; a search takes too long."""

    def __init__(self, *_: object) -> None: ...

    def __call__(
        self, image: Image, subjects: Sequence[Subject], *, seed: int, on_step: OnStep
    ) -> Cloak:
        image = image.copy()
        for number, one in enumerate(subjects):
            x, y, w, h = map(int, one.face.box)
            rng = np.random.default_rng([seed, number, len(one.mode.name)])
            noisy = image[y : y + h, x : x + w] + rng.integers(-40, 41, (h, w, 3))
            image[y : y + h, x : x + w] = np.clip(noisy, 0, 255)
            on_step(number + 1, len(subjects))
        return Cloak(image, tuple(FaceCloak({}, {"warp": 1.0}, one.mode) for one in subjects))


@dataclass
class Scene:
    """A user's album, opened; `open` opens it again as another process would."""

    home: Path
    desk: Desk
    open: Callable[[], Desk]

    @property
    def app(self) -> Flask:
        return make_app(self.desk)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def settled(self, within: float = 60) -> "Scene":
        """Wait until everything is made and published."""
        end = time.monotonic() + within
        while self.desk.maker.busy or self.desk.publisher.progress.busy:
            assert time.monotonic() < end, "it takes too long"
            time.sleep(0.01)
        return self

    def photo(self, name: str) -> Photo:
        return next(one for one in self.desk.album.photos if one.source.name == name)

    def written(self) -> list[str]:
        out = self.home / "out"
        return sorted(str(one.relative_to(out)) for one in out.rglob("*") if one.is_file())

    def say(self, name: str, /, **form: str) -> TestResponse:
        """Press a button on the page of a photo."""
        return self.client.post(f"/photo/{self.photo(name).number}", data=form)

    def say_of_face(self, name: str, index: int = 0, /, **form: str) -> TestResponse:
        """Press a button at a face."""
        photo = self.photo(name)
        box = photo.faces[index].found
        assert box is not None
        at = "-".join(map(str, box))
        return self.client.post(f"/photo/{photo.number}/face/{at}", data=form)


def open_desk(home: Path, settings: Settings) -> Desk:
    """Open the album with an engine of fakes."""
    folders = Folders(home / "config", home / "data")
    engine, database = make_engine(CAST), Database(folders.database)
    decisions = decisions_of(engine, database)
    coordinator = Coordinator(decisions, WorkerThreads(lambda: Worker(engine), 1))
    album, out = home / "in", home / "out"
    staging = Staging.of(folders, [album], out)
    wishes = wishes_of([album], out, settings, staging.load())
    thresholds = dict.fromkeys(engine.ensemble.extractors, 0.9)
    found = find_photos([album], {".png", ".jpg"})
    desk = Desk(
        found, wishes, staging, settings, Means(decisions, coordinator, 1, database, thresholds)
    )
    desk.start()
    return desk


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Return an album of portraits, a group, a photo without a face, and a broken file."""
    monkeypatch.setattr(process_photo, "Cloaker", QuickCloaker)
    album = tmp_path / "in"
    write_photo(album / "a.png", *ONE)
    write_photo(album / "b.png", *TWO, seed=1)
    write_photo(album / "c.png", *NONE, seed=2)
    write_photo(album / HOSTILE, *ONE, seed=3)
    (album / "broken.png").write_bytes(b"no picture")
    write_photo(album / "odd.png", *ODD, seed=5)
    write_photo(album / "trip" / "a.png", *ONE, seed=4)
    desks: list[Desk] = []

    def again() -> Desk:
        if desks:
            desks[-1].close()
        desks.append(open_desk(tmp_path, Settings()))
        one.desk = desks[-1]
        return desks[-1]

    one = Scene(tmp_path, None, again)  # type: ignore[arg-type]
    again()
    yield one.settled()
    desks[-1].close()


def texts(page: str) -> str:
    """Return what is to be read on a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
