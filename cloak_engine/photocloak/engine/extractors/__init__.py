"""Recognisers: what they are (manifests), their weights, and how they run."""

from photocloak.engine.extractors.fake import FakeExtractor
from photocloak.engine.extractors.loader import load_extractor
from photocloak.engine.extractors.protocol import Extractor, Objective, Step
from photocloak.engine.extractors.spec import ExtractorSpec, load_specs, read_spec
from photocloak.engine.extractors.weights import read_model

__all__ = [
    "Extractor",
    "ExtractorSpec",
    "FakeExtractor",
    "Objective",
    "Step",
    "load_extractor",
    "load_specs",
    "read_model",
    "read_spec",
]
