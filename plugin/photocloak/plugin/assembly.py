"""Put a pipeline together: models, target library and the user's stores."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from photocloak import exporters
from photocloak.core import ConfigError, InputError, manifest_root
from photocloak.core.cores import cores
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import load_landmarker
from photocloak.engine.device.card import Card
from photocloak.engine.extractors import ExtractorSpec, load_extractor, load_specs
from photocloak.engine.recognition.age_sex import EXTRACTOR, load_age_sex_head
from photocloak.engine.recognition.attributes import AgeSexHead, Attributes, skin_tone
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.engine.targets.library import Target, TargetLibrary, target_from_photos
from photocloak.plugin.executors.threads import WorkerThreads
from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.pipeline import Pipeline
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.pipeline.rehearsal import Rehearsal
from photocloak.plugin.pipeline.shelf import Shelf
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.database import Copy, Database
from photocloak.plugin.storage.folders import Folders, models_folder
from photocloak.plugin.storage.inputs import find_photos
from photocloak.plugin.storage.output_names import NeutralNames
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.results import Results


def specs(folders: Folders) -> dict[str, ExtractorSpec]:
    """Return the manifests of the shipped extractors and of the user's own."""
    own = folders.config / "extractors"
    return load_specs(*([own] if own.is_dir() else []))


def library_file(folders: Folders) -> Path:
    """Return the user's rebuilt target library if there is one, else the shipped one."""
    own = own_library(folders)
    return own if own.is_file() else manifest_root() / "targets" / "library.npz"


def own_library(folders: Folders) -> Path:
    """Return where a rebuilt target library lies."""
    return folders.data / "targets.npz"


def load_library(folders: Folders) -> TargetLibrary:
    """Load the target library; engine and stores of one process share it.

    Raises:
        ModelError: it cannot be read.

    """
    path = library_file(folders)
    changed = path.stat().st_mtime_ns if path.exists() else 0
    return _library(path, changed)


@lru_cache(maxsize=1)
def _library(path: Path, _changed: int) -> TargetLibrary:
    return TargetLibrary.load(path)


def threads_each(settings: Settings, extractors: int) -> int:
    """Return how many threads an extractor gets: side by side they share the cores out."""
    return settings.threads or max(1, len(cores()) // extractors)


def load_ensemble(settings: Settings, folders: Folders) -> Ensemble:
    """Load the extractors; ModelError says what is missing or damaged."""
    found = specs(folders)
    threads = threads_each(settings, len(found))
    load = partial(load_extractor, threads=threads, device=settings.device, cache=models_folder())
    return Ensemble({name: load(spec) for name, spec in found.items()})


def load_engine(settings: Settings, folders: Folders) -> Engine:
    """Load models and target library."""
    ensemble = load_ensemble(settings, folders)
    ensemble.open_ahead("forward", ensemble.extractors)
    library = load_library(folders)
    library.require(ensemble.extractors)
    cache = models_folder()
    head = load_age_sex_head(cache) if settings.match_targets else None
    detector = Detector(threads=settings.threads, cache=cache)
    card = Card.of(ensemble, settings.device)
    return Engine(detector, load_landmarker(cache), ensemble, library, partial(_look, head), card)


def open_pipeline(engine: Engine, folders: Folders, *, workers: int = 1) -> Pipeline:
    """Join an engine, in this process, and the user's stores; `workers` photos are done at once."""
    limits, database = thresholds(engine.ensemble), Database(folders.database)
    decisions = _decisions(limits, engine.library, folders, database)
    return Pipeline(decisions, WorkerThreads(lambda: Worker(engine), workers))


def open_decisions(folders: Folders) -> Decisions:
    """Open the user's stores for the extractors that there are; no model is loaded."""
    return _opened(folders, Database(folders.database), Decisions)


def open_rehearsal(folders: Folders) -> Decisions:
    """Open a copy of the user's stores, to say what would be done."""
    return _opened(folders, Copy(folders.database), Rehearsal)


def _opened(folders: Folders, database: Database, kind: type[Decisions]) -> Decisions:
    found = specs(folders)
    library = load_library(folders)
    library.require(found)
    limits = {name: one.threshold for name, one in found.items()}
    return _decisions(limits, library, folders, database, kind)


def _decisions(
    thresholds: Mapping[str, float],
    library: TargetLibrary,
    folders: Folders,
    database: Database,
    kind: type[Decisions] = Decisions,
) -> Decisions:
    corrections = Corrections(database)
    shelf = Shelf(Outputs(database), Results(database), NeutralNames(database), corrections)
    people = People(database, thresholds)
    load_policy = partial(_load_policy, folders)
    return kind(people, shelf, library, corrections, load_policy=load_policy)


@dataclass(frozen=True)
class Recipe:
    """Makes a worker with the models of these settings."""

    settings: Settings
    folders: Folders

    def __call__(self) -> Worker:
        """Load models and target library."""
        return Worker(load_engine(self.settings, self.folders))


def _load_policy(folders: Folders, name: str) -> exporters.Policy:
    return exporters.load_policy(name, folders.config / "presets")


def calls_neutrally(settings: Settings, folders: Folders) -> bool:
    """Tell whether outputs get neutral names, by the settings or, where they leave it, the preset.

    Raises:
        ConfigError: there is no such preset, or it is not valid.

    """
    if settings.names != "preset":
        return settings.names == "neutral"
    return _load_policy(folders, settings.preset).names == "neutral"


def open_people(engine: Engine, folders: Folders) -> People:
    """Open the people store for an engine's extractors."""
    return People(Database(folders.database), thresholds(engine.ensemble))


def open_outputs(folders: Folders) -> Outputs:
    """Open the register of own outputs."""
    return Outputs(Database(folders.database))


def open_corrections(folders: Folders) -> Corrections:
    """Open what the user said about faces."""
    return Corrections(Database(folders.database))


def open_results(folders: Folders) -> Results:
    """Open the register of what became of photos."""
    return Results(Database(folders.database))


def thresholds(ensemble: Ensemble) -> dict[str, float]:
    """Return the raw cosine at 1 % false accepts, by extractor."""
    return {name: one.spec.threshold for name, one in ensemble.extractors.items()}


def target_from_folder(folder: Path, engine: Engine) -> Target:
    """Make a target of the largest face in each photo of a folder; ConfigError: there is none."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: the target folder is not a folder.")
    photos: list[Embeddings] = []
    for found in find_photos([folder], exporters.suffixes()):
        try:
            pixels = exporters.read(found.source).pixels
        except InputError:
            continue
        faces = [face for face in engine.detector(pixels) if face.score >= engine.detector.high]
        photos += engine.ensemble.embed(pixels, faces[:1])
    if not photos:
        raise ConfigError(f"{folder}: no photo with a face in it was found; a target needs some.")
    return target_from_photos(f"folder-{_digest(photos)}", photos)


def _digest(photos: Sequence[Embeddings]) -> str:
    """Return a short name for what a target is made of."""
    digest = hashlib.sha256()
    for photo in photos:
        for extractor in sorted(photo):
            digest.update(np.ascontiguousarray(photo[extractor], "<f4").tobytes())
    return digest.hexdigest()[:12]


def _look(
    head: AgeSexHead | None, image: Image, face: Face, features: Embeddings
) -> Attributes | None:
    """Tell how a face looks; None where matching is switched off."""
    if head is None:
        return None
    ages, sexes = head(features[EXTRACTOR][None])
    return Attributes(float(ages[0]), float(sexes[0]), skin_tone(image, face))
