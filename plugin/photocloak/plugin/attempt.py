"""One photo on its way through the engine: targets chosen, cloaked, encoded, measured."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from photocloak import exporters
from photocloak.core import OutputError
from photocloak.engine.attributes import Attributes
from photocloak.engine.cloaker import Cloaker, OnStep, Subject
from photocloak.engine.detector import Detector
from photocloak.engine.ensemble import Embeddings, Ensemble
from photocloak.engine.evidence import FaceEvidence, measure
from photocloak.engine.faces import Face
from photocloak.engine.modes import load_mode
from photocloak.engine.space import Image
from photocloak.engine.targets import Target, TargetLibrary
from photocloak.plugin.assignment import Assignment, Sighting
from photocloak.plugin.job import Job

Look = Callable[[Image, Face, Embeddings], Attributes | None]


@dataclass(frozen=True)
class Engine:
    """The parts of the engine that a pipeline needs.

    Attributes:
        detector: finds the faces.
        ensemble: the extractors.
        library: the targets to choose from.
        look: tells how a face looks, for a matched target; None where matching is off.

    """

    detector: Detector
    ensemble: Ensemble
    library: TargetLibrary
    look: Look


@dataclass(frozen=True)
class Attempt:
    """One photo with faces on its way through the engine.

    Attributes:
        engine: the models.
        job: what to do.
        photo: what was read.
        base: the pixels to publish, not cloaked yet, (H, W, 3) uint8.
        policy: what may be written.
        faces: in `base`, largest first.
        features: of the faces, clean.
        content: hash of the photo's pixels. Not of the file: an export that differs in a time
            stamp must not get other noise, since cloaks that differ could be averaged away.

    """

    engine: Engine
    job: Job
    photo: exporters.Photo
    base: Image
    policy: exporters.Policy
    faces: Sequence[Face]
    features: Sequence[Embeddings]
    content: str

    def sightings(self) -> list[Sighting]:
        """Return the faces as the people store sees them."""
        high = self.engine.detector.high
        return [
            Sighting(features, certain=face.score >= high)
            for face, features in zip(self.faces, self.features, strict=True)
        ]

    def choose(self, index: int, photos: Sequence[Embeddings], taken: Collection[str]) -> Target:
        """Choose a target for face `index` by eq. 3."""
        look = self.engine.look(self.base, self.faces[index], self.features[index])
        return self.engine.library.choose(photos, look, taken=taken, seed=seed_of(self.content))

    def cloak(
        self, assigned: Sequence[Assignment], on_step: OnStep | None
    ) -> tuple[exporters.Encoded, list[FaceEvidence]]:
        """Cloak, encode and measure."""
        cloaker = Cloaker(self.engine.ensemble, self.engine.library.means, load_mode(self.job.mode))
        subjects = [
            Subject(face, one.target, own)
            for face, one, own in zip(self.faces, assigned, self.features, strict=True)
        ]
        seed = self.job.seed
        if seed is None:
            seed = seed_of(self.content, *(one.target.name for one in assigned))
        cloak = cloaker(self.base, subjects, seed=seed, on_step=on_step)
        encoded = exporters.encode(self.photo, self.base, cloak.pixels, self.policy)
        return encoded, self._measure(encoded)

    def _measure(self, encoded: exporters.Encoded) -> list[FaceEvidence]:
        """Decode what will be written, and look at it as a stranger would."""
        written = exporters.read_bytes(encoded.data, self.job.source.name).pixels
        if written.shape != self.base.shape:
            raise OutputError(
                f"{self.job.source}: the encoded photo came out as {written.shape[1]} × "
                f"{written.shape[0]} pixels instead of {self.base.shape[1]} × "
                f"{self.base.shape[0]}; nothing was written."
            )
        return measure(
            self.base,
            written,
            self.faces,
            self.features,
            ensemble=self.engine.ensemble,
            detector=self.engine.detector,
        )


def still_recognised(
    evidence: Sequence[FaceEvidence], ensemble: Ensemble, *, tolerated: int = 0
) -> str:
    """Return the names of extractors that still accept a face, joined; empty: none does.

    Faces that no more than `tolerated` extractors accept do not count.
    """
    accepting = [one.too_similar(ensemble) for one in evidence]
    return ", ".join(sorted({n for names in accepting if len(names) > tolerated for n in names}))


def seed_of(*parts: str) -> int:
    """Return 63 bits that depend on nothing but the parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
