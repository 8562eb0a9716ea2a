"""The real `photocloak serve`, whose recognisers are fakes and whose cloak is a face turned over.

Nothing is searched for, so a photo takes a moment; all else (looking, encoding, scanning,
measuring, publishing, the queue, the journal, the models' own process) is as ever.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from photocloak.engine.cloaker import Cloak
from photocloak.engine.detection.alignment import Image
from photocloak.engine.subject import FaceCloak, Subject
from photocloak.plugin import Database, Folders, Settings
from photocloak.plugin.commands import watch
from photocloak.plugin.executors.processes import Processes
from photocloak.plugin.main import run
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.pipeline.worker import Worker
from tests.plugin.fakes import CAST, FakeRecipe, make_engine
from tests.plugin.studio import decisions_of

AMOUNTS = {"warp": 1.0, "contrast": 1.0, "light": 0.1, "delta": 0.001}


class Turner:
    """Turns faces over instead of cloaking them."""

    def __init__(self, *_: Any) -> None:
        pass

    def __call__(self, image: Image, subjects: Sequence[Subject], **_: Any) -> Cloak:
        pixels = np.array(image)
        for one in subjects:
            x, y, w, h = (round(value) for value in one.face.box)
            pixels[y : y + h, x : x + w] = pixels[y : y + h, x : x + w][::-1, ::-1]
        return Cloak(pixels, tuple(FaceCloak({}, AMOUNTS, one.mode) for one in subjects))


@dataclass(frozen=True)
class QuickRecipe:
    """Makes a worker, in any process, that searches for nothing."""

    def __call__(self) -> Worker:
        vars(process_photo)["Cloaker"] = Turner
        return FakeRecipe()()


def open_coordinator(_settings: Settings, folders: Folders) -> Coordinator:
    decisions = decisions_of(make_engine(CAST), Database(folders.database))
    return Coordinator(decisions, Processes(QuickRecipe(), 1))


def main() -> None:
    vars(watch)["open_coordinator"] = open_coordinator
    sys.exit(run(["serve", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
