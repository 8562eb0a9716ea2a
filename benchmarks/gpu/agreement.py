"""Whether a cloak made on a card is as good as one made without: bounds and similarity.

Without a card the graphs that would run there run on the processor.
"""

from typing import Any

import numpy as np

from benchmarks.gpu import whole
from photocloak.engine import measure
from photocloak.engine.cloaker import Cloaker
from photocloak.engine.modes import load_mode
from photocloak.engine.subject import Subject
from photocloak.plugin import Folders, Settings, load_engine
from photocloak.plugin.bench import photos


def compare() -> dict[str, Any]:
    """Cloak the portrait on the CPU and on what "auto" finds; return both, and how far apart."""
    image, mode = photos.photo(2, 1), load_mode("balanced")
    result: dict[str, Any] = {}
    for device in ("cpu", "auto"):
        engine = load_engine(Settings(device=device), Folders.of_user())
        [face] = engine.detector(image)
        [own] = engine.ensemble.embed(image, [face])
        target = engine.library.choose([own], None, seed=0)
        card = None if device == "cpu" else whole.card_on(engine.ensemble, whole.place_here())
        cloaker = Cloaker(engine.ensemble, engine.library.means, engine.landmarks, card)
        cloak = cloaker(image, [Subject(face, target, own, mode)], seed=0)
        [seen] = measure(
            image, cloak.pixels, [face], [own], ensemble=engine.ensemble, detector=engine.detector
        )
        result[device] = {
            "amounts": {name: round(value, 4) for name, value in cloak.worn[0].amounts.items()},
            "similarity": {name: round(value, 3) for name, value in seen.similarity.items()},
        }
    apart = [
        abs(result["cpu"]["similarity"][name] - result["auto"]["similarity"][name])
        for name in result["cpu"]["similarity"]
    ]
    result["largest_difference"] = round(float(np.max(apart)), 3)
    return result
