"""Several extractors as one: embeddings of the faces in a photo."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from photocloak.core.cores import cores
from photocloak.engine.detection.alignment import Image, chip
from photocloak.engine.detection.faces import Face
from photocloak.engine.extractors import Extractor, ExtractorSpec
from photocloak.engine.extractors.protocol import Kind
from photocloak.engine.geometry import Array

Embeddings = dict[str, Array]
"""Raw features of one face by extractor name, each (D,) float32."""


@dataclass(frozen=True)
class Ensemble:
    """The surrogate extractors by name."""

    extractors: Mapping[str, Extractor]

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads to run extractors side by side: the runtimes release the interpreter."""
        return ThreadPoolExecutor(max_workers=min(len(cores()), len(self.extractors)))

    @cached_property
    def _ahead(self) -> ThreadPoolExecutor:
        """A thread to open models in: two would only take turns in the interpreter."""
        return ThreadPoolExecutor(1, thread_name_prefix="ahead")

    def open_ahead(self, kind: Kind, names: Iterable[str]) -> None:
        """Have extractors opened, one after the other, while the caller does something else.

        What goes wrong is raised where it is needed.

        Args:
            kind: what they are needed for.
            names: of which, in the order in which they are needed.

        """
        for name in names:
            self._ahead.submit(self.extractors[name].open, kind)

    def embed(self, image: Image, faces: Sequence[Face]) -> list[Embeddings]:
        """Embed each face of an (H, W, 3) uint8 sRGB photo, aligned by its own landmarks."""
        if not faces:
            return []

        def cut(like: ExtractorSpec) -> Array:
            template = np.asarray(like.template)
            chips = np.stack([chip(image, face, template, like.size) for face in faces])
            return np.ascontiguousarray(chips.transpose(0, 3, 1, 2))

        def features(extractor: Extractor) -> Array:
            return extractor.embed(chips[_cut_of(extractor.spec)])

        cuts = {_cut_of(one.spec): one.spec for one in self.extractors.values()}  # some share one
        chips = dict(zip(cuts, self.pool.map(cut, cuts.values()), strict=True))
        rows = self.pool.map(features, self.extractors.values())
        columns = dict(zip(self.extractors, rows, strict=True))
        return [{name: column[i] for name, column in columns.items()} for i in range(len(faces))]


def _cut_of(spec: ExtractorSpec) -> tuple[object, int]:
    """Return what an extractor's chips depend on."""
    return spec.template, spec.size


def cosine(a: Array, b: Array) -> float:
    """Return the cosine of two (D,) feature vectors."""
    norm = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


def direction(features: Array, centre: Array) -> Array:
    """Return centred features as unit vectors, along the last axis."""
    centred = features - centre
    norm = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.asarray(centred / np.maximum(norm, 1e-12), np.float32)
