"""What the recognisers say of a face as it looks now: the loss of eq. 2 and its extensions.

Eq. 2 of the paper: minimise Dist(Φ(x_T), Φ(x ⊕ δ)). The default objective adds what is known to
transfer: centred features, a penalty on what is left of the person's own identity, random views.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from photocloak.engine.extractors import Extractor, Objective
from photocloak.engine.geometry import Array
from photocloak.engine.optimisation.augment import Cut, View, degrade, plain, realign
from photocloak.engine.recognition.ensemble import Ensemble, direction
from photocloak.engine.subject import Subject

IDENTITY_MARGIN = 0.4
"""Cosine by which features shall be on the far side of "nothing in common with the person".

Within the bounds no extractor gets there: what a smaller margin saves, one left out keeps.
"""

TURNS = 2
"""Steps in which every extractor is asked once; with three, one left out fails less often."""


@dataclass(frozen=True)
class Drawn:
    """What is looked at in one step.

    Attributes:
        view: what happens to the pixels.
        cuts: how the chip of each extractor that is asked is cut, by its name.

    """

    view: View
    cuts: Mapping[str, Cut]


class Surrogates:
    """The extractors, each with its objective for one face.

    Attributes:
        objectives: by extractor.

    Args:
        ensemble: the extractors.
        means: μ by extractor, the centre of the features of many people.
        subject: the face.
        rng: draws x_T, and the views.

    """

    def __init__(
        self,
        ensemble: Ensemble,
        means: Mapping[str, Array],
        subject: Subject,
        rng: np.random.Generator,
    ) -> None:
        self._ensemble, self._rng = ensemble, rng
        self._fawkes = subject.mode.objective == "fawkes"
        self.objectives = {
            name: self._aim(subject, name, means[name]) for name in ensemble.extractors
        }
        self._steps = 0

    def _aim(self, subject: Subject, name: str, centre: Array) -> Objective:
        members = subject.target.members[name]
        drawn = members[self._rng.integers(len(members))]
        spread = float(np.linalg.norm(members - centre, axis=1).mean())
        weights = (1.0 / spread, 0.0, 0.0) if self._fawkes else (0.0, 1.0, subject.mode.own)
        return Objective(
            centre=centre,
            target=drawn[None],
            toward=direction(subject.target.centroid[name], centre)[None],
            own=subject.identity(name, centre)[None],
            weights=np.asarray([weights], np.float32),
            margin=-IDENTITY_MARGIN,
        )

    def gradient(self, crop: Array) -> Array:
        """Return the gradient of the losses with respect to (3, SIZE, SIZE) planes, 0..255."""
        drawn = self.draw()
        view = drawn.view.map()

        def pull(name: str) -> Array:
            transform = drawn.cuts[name].map().after(view)
            chips = transform(crop)[None]
            step = self._ensemble.extractors[name].step(chips, self.objectives[name])
            return transform.pullback(step.gradient[0])

        # One core each: two recognisers side by side beat one recogniser on two cores.
        pulls = list(self._ensemble.pool.map(pull, drawn.cuts))
        return np.asarray(np.sum(pulls, axis=0), np.float32)

    def draw(self) -> Drawn:
        """Return what the next step looks at."""
        extractors = self._turn()
        if self._fawkes:
            return Drawn(View(), {name: plain(e.spec) for name, e in extractors.items()})
        view = degrade(self._rng)
        return Drawn(view, {name: realign(self._rng, e.spec) for name, e in extractors.items()})

    def _turn(self) -> dict[str, Extractor]:
        """Return who is asked in this step: each extractor in every `TURNS`-th, by turns.

        Momentum carries the others' answers over, so more steps come for the same time; the
        paper's objective asks all in each.
        """
        everyone = self._ensemble.extractors
        if self._fawkes:
            return dict(everyone)
        self._steps += 1
        return {name: everyone[name] for name in _asked(everyone, self._steps)}


def by_turns(names: Collection[str]) -> list[str]:
    """Return the names of extractors in the order in which steps first ask them."""
    asked = [name for number in range(1, TURNS + 1) for name in _asked(names, number)]
    return list(dict.fromkeys(asked))


def _asked(names: Collection[str], step: int) -> list[str]:
    """Return who is asked in a step, from 1 on."""
    turns = min(TURNS, len(names))
    return sorted(names)[step % turns :: turns]
