"""What the optimiser knows of a face recogniser: features, and one step of the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from photocloak.engine.extractors.spec import ExtractorSpec

Array = npt.NDArray[np.float32]

Kind = Literal["forward", "step"]
"""What a recogniser is run for: `embed`, or `step`."""

_TINY: Final = np.float32(1e-12)


@dataclass(frozen=True)
class Objective:
    """The loss of N chips, per chip; all arrays float32.

        c = f − μ,  ĉ = c / ‖c‖
        loss_i = w_distance·‖f − t‖₂ + w_toward·(1 − ĉ·toward) + w_own·relu(ĉ·own − margin)

    The first term is eq. 2 of Fawkes on raw features f; the others work on directions about the
    mean face μ, because a recogniser's raw features are often far from centred.

    Attributes:
        centre: μ, (D,); zeros: not centred.
        target: t, raw features of the target, (N, D).
        toward: unit direction of the centred target, (N, D).
        own: unit direction of the person's own centred features, (N, D).
        weights: (w_distance, w_toward, w_own), (N, 3).
        margin: cosine to `own` below which the last term is 0.

    """

    centre: Array
    target: Array
    toward: Array
    own: Array
    weights: Array
    margin: float

    def feeds(self) -> dict[str, Array]:
        """Return the arrays as C-contiguous float32, keyed by name."""
        return {
            name: np.ascontiguousarray(getattr(self, name), np.float32).reshape(
                np.shape(getattr(self, name))
            )
            for name in ("centre", "target", "toward", "own", "weights", "margin")
        }

    def pull(self, features: Array) -> tuple[Array, Array]:
        """Return the losses (N,) of features (N, D) and d loss_i / d features_i (N, D)."""
        apart = features - self.target
        distance = np.linalg.norm(apart, axis=1, keepdims=True)
        centred = features - self.centre
        norm = np.linalg.norm(centred, axis=1, keepdims=True) + _TINY
        direction = centred / norm
        cosine = np.sum(direction * self.toward, axis=1, keepdims=True)
        excess = np.sum(direction * self.own, axis=1, keepdims=True) - np.float32(self.margin)
        terms = np.concatenate([distance, 1 - cosine, np.maximum(excess, 0)], axis=1)
        by_distance, by_toward, by_own = np.split(self.weights, 3, axis=1)
        pull = (by_own * (excess > 0)) * self.own - by_toward * self.toward
        across = pull - direction * np.sum(pull * direction, axis=1, keepdims=True)
        gradient = by_distance * apart / np.maximum(distance, _TINY) + across / norm
        return np.sum(terms * self.weights, axis=1), gradient


@dataclass(frozen=True)
class Step:
    """What one step gives: losses (N,), raw features (N, D), d loss_i / d chip_i (N, 3, S, S)."""

    losses: Array
    embeddings: Array
    gradient: Array


class Extractor(Protocol):
    """One face recogniser. Chips are (N, 3, S, S) float32, RGB, 0..255, aligned to its template."""

    @property
    def spec(self) -> ExtractorSpec:
        """What the manifest says about it."""
        ...

    def open(self, kind: Kind, /) -> None:
        """Open what one of the two below runs with, which else its first call does; any thread."""
        ...

    def embed(self, chips: Array, /) -> Array:
        """Return the raw features (N, D)."""
        ...

    def step(self, chips: Array, objective: Objective, /) -> Step:
        """Return losses, features and gradient from one run."""
        ...


def checked(spec: ExtractorSpec, chips: Array) -> Array:
    """Return chips as the C-contiguous float32 that runtimes take; a wrong shape is a bug."""
    shape = (3, spec.size, spec.size)
    if chips.ndim != 4 or chips.shape[1:] != shape:
        raise ValueError(f"{spec.name} takes chips of shape (N, {shape}), not {chips.shape}")
    return np.ascontiguousarray(chips, np.float32)
