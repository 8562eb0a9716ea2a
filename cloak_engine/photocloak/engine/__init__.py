"""Pixels to pixels: find faces, cloak them, measure what is left."""

from photocloak.engine.budget import Dssim
from photocloak.engine.cloaker import Cloak, Cloaker
from photocloak.engine.detection.alignment import FaceSpace
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.extractors import (
    Extractor,
    ExtractorSpec,
    FakeExtractor,
    Objective,
    Step,
    load_extractor,
    load_specs,
)
from photocloak.engine.modes import Mode, load_mode, load_modes
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.engine.subject import FaceCloak, Subject
from photocloak.engine.targets.library import Target, TargetLibrary, target_from_photos
from photocloak.engine.verify import FaceEvidence, measure

__all__ = [
    "Attributes",
    "Cloak",
    "Cloaker",
    "Detector",
    "Dssim",
    "Embeddings",
    "Ensemble",
    "Extractor",
    "ExtractorSpec",
    "Face",
    "FaceCloak",
    "FaceEvidence",
    "FaceSpace",
    "FakeExtractor",
    "Mode",
    "Objective",
    "Step",
    "Subject",
    "Target",
    "TargetLibrary",
    "load_extractor",
    "load_mode",
    "load_modes",
    "load_specs",
    "measure",
    "target_from_photos",
]
