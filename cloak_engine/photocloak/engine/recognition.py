"""What a stranger does with published photos: train on them, then name a face.

The paper's protection success rate (§5.1) is one minus the accuracy of such a recogniser on the
user's clean photos. Three recognisers stand on the same L2-normalised features: a linear
classifier (the paper's), the nearest neighbour, and verification at 1 % false accepts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.geometry import Array

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Accuracy:
    """Share of faces named rightly, per identity.

    Attributes:
        linear: by the linear classifier, (identities,).
        nearest: by the nearest neighbour, (identities,).
        verified: accepted as themselves at 1 % false accepts, (identities,).

    """

    linear: NDArray[np.float64]
    nearest: NDArray[np.float64]
    verified: NDArray[np.float64]


def recognise(
    gallery: Array, names: Labels, probes: Array, truth: Labels, *, threshold: float
) -> Accuracy:
    """Train on the gallery, test on the probes.

    Args:
        gallery: (G, D) float32 raw features of the published photos.
        names: (G,) identity of each, 0..I−1.
        probes: (P, D) float32 raw features of faces to name.
        truth: (P,) who they are.
        threshold: cosine at 1 % false accepts.

    """
    gallery, probes = _unit(gallery), _unit(probes)
    similarity = probes @ gallery.T
    linear = _linear(gallery, names, probes) == truth
    nearest = names[similarity.argmax(axis=1)] == truth
    own = np.where(truth[:, None] == names[None, :], similarity, np.nan)
    verified = np.nanmedian(own, axis=1) >= threshold
    identities = range(int(names.max()) + 1)
    return Accuracy(
        *(
            np.array([hit[truth == i].mean() if (truth == i).any() else np.nan for i in identities])
            for hit in (linear, nearest, verified)
        )
    )


def _linear(gallery: Array, names: Labels, probes: Array) -> Labels:
    """Return the names that multinomial logistic regression gives the probes.

    Full-batch gradient descent with Nesterov momentum on standardised features, weight decay
    1e-3: convex, so the schedule does not matter to the answer.
    """
    mean, scale = gallery.mean(axis=0), gallery.std(axis=0) + 1e-6
    x = np.column_stack([(gallery - mean) / scale, np.ones(len(gallery))])
    wanted = np.eye(int(names.max()) + 1)[names]
    weights = np.zeros((x.shape[1], wanted.shape[1]))
    ahead = weights
    rate = len(x) / (0.5 * np.linalg.norm(x, 2) ** 2)
    for step in range(400):
        scores = x @ ahead
        chance = np.exp(scores - scores.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        moved = ahead - rate * (x.T @ (chance - wanted) / len(x) + 1e-3 * ahead)
        ahead = moved + step / (step + 3) * (moved - weights)
        weights = moved
    y = np.column_stack([(probes - mean) / scale, np.ones(len(probes))])
    return np.asarray((y @ weights).argmax(axis=1), np.int64)


def false_accept_threshold(features: Array, names: Labels, *, rate: float = 0.01) -> float:
    """Return the cosine that `rate` of the pairs of different people reach.

    Args:
        features: (N, D) float32 raw features.
        names: (N,) who they are of.
        rate: share of false accepts.

    """
    unit = _unit(features)
    rows, columns = np.triu_indices(len(unit), 1)
    different = names[rows] != names[columns]
    return float(np.quantile((unit @ unit.T)[rows, columns][different], 1 - rate))


def _unit(features: Array) -> Array:
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), np.float32)
