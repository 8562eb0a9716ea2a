"""An evaluation whose models are fakes, as a process that can be killed: DATA CACHE OUT DELAY."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np

from photocloak.engine.cloaker import Cloak, Cloaker
from photocloak.engine.detection.alignment import Image
from photocloak.engine.modes import load_mode
from photocloak.engine.subject import FaceCloak, Subject
from photocloak.plugin import Folders, Settings
from photocloak.plugin.evaluation import cloaks
from photocloak.plugin.evaluation.cache import Cache
from photocloak.plugin.evaluation.page import page
from photocloak.plugin.evaluation.protocol import THIRDS
from photocloak.plugin.evaluation.results import as_csv, as_json, dump, write
from photocloak.plugin.evaluation.run import Experiment, evaluate
from tests.plugin.fakes import face_at, make_engine

SIZE = (96, 96)
Modes = tuple[str, ...]
BALANCED: Modes = ("balanced",)


@contextmanager
def fakes(*, delay: float = 0, noise: int = 9) -> Iterator[None]:
    """Let an engine of fakes be loaded whose cloaks are `noise` grey levels of noise."""

    def cloak(
        self: Cloaker, image: Image, subjects: Sequence[Subject], *, seed: int, on_step: object
    ) -> Cloak:
        time.sleep(delay)
        change = np.random.default_rng(seed).integers(-noise, noise + 1, image.shape)
        worn = FaceCloak({}, {"delta": 0.01}, load_mode("balanced"))
        return Cloak(np.clip(image + change, 0, 255).astype(np.uint8), (worn,) * len(subjects))

    with patch.object(Cloaker, "__call__", cloak), patch.object(cloaks, "load_engine") as load:
        load.return_value = make_engine({SIZE: [face_at(10, 10, 70)]})
        yield


def main(
    data: Path, cache: Path, out: Path, delay: float, *, noise: int = 9, modes: Modes = BALANCED
) -> None:
    """Evaluate, each cloak taking `delay` seconds."""
    plan = Experiment(
        data=data,
        modes=modes,
        thirds=THIRDS,
        protected=2,
        leave_out=("three",),
        train=3,
        test=2,
    )
    with fakes(delay=delay, noise=noise), closing(Cache(cache)) as known:
        found = evaluate(plan, known, Folders.of_user(), Settings(match_targets=False))
        table = as_json(found, "run with <fakes>")
        write(out, "results.json", dump(table))
        write(out, "results.csv", as_csv(list(found.rows)))
        write(out, "index.html", page(found, table))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
