"""Rebuild the target library from a folder of photos of many people, a sub-folder a person."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photocloak import exporters
from photocloak.core import ConfigError, InputError
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import alignable
from photocloak.engine.recognition.age_sex import EXTRACTOR, load_age_sex_head
from photocloak.engine.recognition.attributes import AgeSexHead, Attributes, skin_tone
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.engine.targets.synthesis import Crowd, SynthesisReport, build_library
from photocloak.plugin.assembly import load_ensemble, thresholds
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders, make_private
from photocloak.plugin.storage.inputs import find_photos

_LOG = logging.getLogger(__name__)

FEWEST = 20
"""People of each apparent sex that the model of faces needs."""


def build_from_folder(
    photos: Path, path: Path, settings: Settings, folders: Folders
) -> SynthesisReport:
    """Build a library of targets and write it to `path`.

    Raises:
        ConfigError: there are not enough people in `photos`.
        ModelError: a model is missing.

    """
    crowd = _Observer(
        Detector(threads=settings.threads),
        load_ensemble(settings, folders),
        load_age_sex_head(),
    )
    people = [person for person in map(crowd.person, _subfolders(photos)) if person is not None]
    sexes = [person.attributes.sex > 0.5 for person in people]
    if min(sum(sexes), len(sexes) - sum(sexes)) < FEWEST:
        raise ConfigError(
            f"{photos}: {len(people)} people with at least two usable photos each were found, one "
            f"a sub-folder; a library needs {FEWEST} of each apparent sex."
        )
    library, census = build_library(
        Crowd([person.photos for person in people], [person.attributes for person in people]),
        thresholds(crowd.ensemble),
        crowd.head,
    )
    if path.parent == folders.data:
        make_private(path.parent)
    library.save(path)
    return census


@dataclass(frozen=True)
class _Observed:
    photos: list[Embeddings]
    attributes: Attributes


@dataclass(frozen=True)
class _Observer:
    """Turns a person's photos into features and looks."""

    detector: Detector
    ensemble: Ensemble
    head: AgeSexHead

    def person(self, folder: Path) -> _Observed | None:
        """Return what the largest face of each photo shows; None for fewer than two photos."""
        photos: list[Embeddings] = []
        tones: list[float] = []
        for found in find_photos([folder], exporters.suffixes()):
            try:
                pixels = exporters.read(found.source).pixels
            except InputError as error:
                _LOG.warning("%s", error)
                continue
            faces = [
                face
                for face in self.detector(pixels)
                if face.score >= self.detector.high and alignable(face, pixels.shape)
            ]
            photos += self.ensemble.embed(pixels, faces[:1])
            tones += [skin_tone(pixels, face) for face in faces[:1]]
        if len(photos) < 2:
            return None
        ages, sexes = self.head(np.stack([photo[EXTRACTOR] for photo in photos]))
        looks = Attributes(float(np.median(ages)), float(np.median(sexes)), float(np.median(tones)))
        return _Observed(photos, looks)


def _subfolders(photos: Path) -> Iterator[Path]:
    if not photos.is_dir():
        raise ConfigError(f"{photos}: is not a folder.")
    yield from sorted(path for path in photos.iterdir() if path.is_dir())
