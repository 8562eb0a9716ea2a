"""One face to cloak, and the cloak that it gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array
from photocloak.engine.modes import Mode
from photocloak.engine.recognition.ensemble import Embeddings, direction
from photocloak.engine.targets.library import Target


@dataclass(frozen=True)
class FaceCloak:
    """What one face wears: a few numbers, from which its pixels can be made again.

    Attributes:
        parameters: by edit ("warp", "contrast", "light", "delta"); float32, see
            `photocloak.engine.edits`.
        amounts: how much each edit changes at most, in its unit: warp in per cent of the distance
            between the eyes, contrast in per cent, light in stops, delta in DSSIM.
        mode: whose bounds hold.

    """

    parameters: Mapping[str, Array] = field(repr=False)
    amounts: Mapping[str, float]
    mode: Mode


@dataclass(frozen=True)
class Subject:
    """A face to cloak, whom it shall be taken for, and who it is.

    Attributes:
        face: as detected.
        target: the person's target class T.
        own: the clean face's features, raw, by extractor.
        mode: bounds and effort.
        worn: a cloak that it has already: kept if it is of `mode`, else what the optimisation
            starts from; None: it starts from nothing.
        person: the mean of such features over photos of the person; `own` stands in for an
            extractor that it lacks.

    """

    face: Face
    target: Target
    own: Embeddings
    mode: Mode
    worn: FaceCloak | None = None
    person: Embeddings = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps are to be done: half of the mode's to go on with a weaker cloak."""
        if self.worn is None:
            return self.mode.steps
        return 0 if self.worn.mode == self.mode else self.mode.steps // 2

    def identity(self, extractor: str, centre: Array) -> Array:
        """Return what must not be left of the person: a unit vector (D,), seen from the centre.

        Half of the way between this photo and the person. A recogniser that learns from cloaked
        photos is asked about others, so what they share counts; and one that is shown the clean
        photo itself shall not find it.
        """
        own = direction(self.own[extractor], centre)
        if extractor not in self.person:
            return own
        both = own + direction(self.person[extractor], centre)
        return direction(both, np.zeros_like(both))
