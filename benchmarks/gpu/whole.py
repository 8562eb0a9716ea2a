"""Whole cloaks on a device, from the photo to the photo: all faces together, and one by one."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.gpu import ours
from photocloak.engine.binding import Place
from photocloak.engine.cloaker import Cloaker
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import load_landmarker
from photocloak.engine.device.card import Card
from photocloak.engine.extractors import ExtractorSpec, load_extractor
from photocloak.engine.extractors.onnx_extractor import OnnxExtractor
from photocloak.engine.modes import load_mode
from photocloak.engine.optimisation.methods import Retouching
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.runtime import has_cuda, session_from_file, starts_cuda
from photocloak.engine.subject import Subject
from photocloak.engine.targets.library import TargetLibrary
from photocloak.plugin import Folders
from photocloak.plugin.assembly import library_file
from photocloak.plugin.bench import photos
from photocloak.plugin.bench.timing import in_turns

if TYPE_CHECKING:
    import onnx


def place_here() -> Place:
    """Return where models come to run."""
    return "cuda" if has_cuda("auto") and starts_cuda() else "cpu"


def card_on(ensemble: Ensemble, place: Place, profiles: Path | None = None) -> "ProfiledCard":
    """Return what takes the steps of many faces there, with profiles where a folder is given."""
    found = {n: e for n, e in ensemble.extractors.items() if isinstance(e, OnnxExtractor)}
    return ProfiledCard(found, place, profiles)


class ProfiledCard(Card):
    """Keeps a profile of its graphs if it has a folder for them, and fails where it is unable."""

    def __init__(
        self, extractors: Mapping[str, OnnxExtractor], place: Place, folder: Path | None
    ) -> None:
        super().__init__(extractors, place)
        self._folder, self._device = folder, place
        self.sessions: list[Any] = []

    def descend(self, searches: Sequence[Retouching], stepped: Callable[[], None]) -> None:
        """Do the steps, all of them."""
        super().descend(searches, stepped)
        if any(one.left for one in searches):
            raise RuntimeError("The device cannot take the steps of a face, see the warning.")

    def opened(self, model: "onnx.ModelProto") -> Any:
        """Open a graph."""
        if self._folder is None:
            return super().opened(model)
        path = self._folder / f"graph-{len(self.sessions)}.onnx"
        path.write_bytes(model.SerializeToString())
        profile = path.with_suffix("")
        session = session_from_file(
            path, threads=0, device=self._device, exact=True, profile=profile
        )
        self.sessions.append(session)
        return session


def measured(
    specs: Mapping[str, ExtractorSpec], batches: Sequence[int], *, repeats: int, steps: int | None
) -> dict[str, Any]:
    """Return faces a second by batch, and where the nodes of our own graphs ran, two steps long.

    "together" is what a card does; "one by one" has the recognisers on the device and all else in
    NumPy, as without a card.
    """
    place = place_here()
    ensemble = Ensemble({name: load_extractor(one, device="auto") for name, one in specs.items()})
    library, landmarks = TargetLibrary.load(library_file(Folders.of_user())), load_landmarker()
    mode = load_mode("balanced")
    result: dict[str, Any] = {"steps": steps or mode.steps, "batches": []}

    def cloak_with(card: Card | None, count: int, steps: int) -> Callable[[], object]:
        image, faces = crowd(count)
        cloaker = Cloaker(ensemble, library.means, landmarks, card)
        worked = replace(mode, steps=steps)
        subjects = [
            Subject(face, library.choose([own], None, seed=number), own, worked)
            for number, (face, own) in enumerate(
                zip(faces, ensemble.embed(image, faces), strict=True)
            )
        ]
        return lambda: cloaker(image, subjects, seed=0)

    with tempfile.TemporaryDirectory(prefix="photocloak-gpu-") as folder:
        profiled = card_on(ensemble, place, Path(folder))
        cloak_with(profiled, 1, 2)()
        result["nodes"] = dict(ours.ran_on(profiled.sessions))
    card = card_on(ensemble, place)
    for batch in batches:
        calls = {
            "together": cloak_with(card, batch, result["steps"]),
            "one by one": cloak_with(None, batch, result["steps"]),
        }
        rates = {name: round(batch / s, 2) for name, s in in_turns(calls, repeats).items()}
        result["batches"].append({"batch": batch, "faces_per_second": rates})
    return result


def crowd(count: int) -> tuple[Image, list[Face]]:
    """Return a photo with the portrait so many times, side by side, and its faces."""
    portrait, face = _portrait()
    width, faces = portrait.shape[1], []
    for number in range(count):
        x, y, *size = face.box
        landmarks = face.landmarks + np.array([number * width, 0], np.float32)
        faces.append(replace(face, box=(x + number * width, y, *size), landmarks=landmarks))
    return np.concatenate([portrait] * count, axis=1), faces


@cache
def _portrait() -> tuple[Image, Face]:
    portrait = photos.photo(0.4, 1)
    [face] = Detector()(portrait)
    return portrait, face
