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
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Accuracy:
    """Share of faces named rightly, per identity; NaN for one without a photo to train or test on.

    Attributes:
        linear: by the linear classifier, (identities,).
        nearest: by the nearest neighbour, (identities,).
        verified: pairs of a face to name and a published photo of the same person that are
            accepted at 1 % false accepts, (identities,).
        tested: faces to name, (identities,) counts.

    """

    linear: Shares
    nearest: Shares
    verified: Shares
    tested: Labels


def recognise(
    gallery: Array,
    names: Labels,
    probes: Array,
    truth: Labels,
    *,
    threshold: float,
    identities: int | None = None,
) -> Accuracy:
    """Train on the gallery, test on the probes.

    Args:
        gallery: (G, D) float32 raw features of the published photos.
        names: (G,) identity of each, 0..I−1.
        probes: (P, D) float32 raw features of faces to name.
        truth: (P,) who they are.
        threshold: cosine at 1 % false accepts.
        identities: I; None: the highest name and one.

    """
    count = int(names.max()) + 1 if identities is None else identities
    gallery, probes = _unit(gallery), _unit(probes)
    similarity = probes @ gallery.T
    named = [_linear(gallery, names, probes), names[similarity.argmax(axis=1)]]
    own = truth[:, None] == names[None, :]
    with_photos = own.any(axis=1)
    accepted = (own & (similarity >= threshold)).sum(axis=1) / np.maximum(own.sum(axis=1), 1)
    hits = [*(np.asarray(given == truth, np.float64) for given in named), accepted]
    linear, nearest, verified = (_by_identity(hit, truth, with_photos, count) for hit in hits)
    return Accuracy(linear, nearest, verified, np.bincount(truth, minlength=count))


def _by_identity(hit: Shares, truth: Labels, judged: NDArray[np.bool_], count: int) -> Shares:
    """Return the mean of (P,) hits for each identity, NaN where none of them is judged."""
    weights = judged.astype(np.float64)
    total = np.bincount(truth, hit * weights, minlength=count)
    number = np.bincount(truth, weights, minlength=count)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _linear(gallery: Array, names: Labels, probes: Array) -> Labels:
    """Return the names that multinomial logistic regression gives the probes.

    Full-batch gradient descent with Nesterov momentum on standardised features, weight decay
    1e-3: convex, so the schedule does not matter to the answer.
    """
    mean, scale = gallery.mean(axis=0), gallery.std(axis=0) + 1e-6
    x = np.column_stack([(gallery - mean) / scale, np.ones(len(gallery))])
    y = np.column_stack([(probes - mean) / scale, np.ones(len(probes))])
    if x.shape[1] > len(x):
        # The weights never leave the span of the photos: in its coordinates they are fewer.
        span, x = (part.T for part in np.linalg.qr(x.T))
        y = y @ span.T
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


def lower_bound(shares: Shares, *, draws: int = 4000, level: float = 0.05) -> float:
    """Return what the mean over identities exceeds with 95 % confidence, by bootstrap over them.

    People differ more than one person's photos do, so whole people are drawn.

    Args:
        shares: (identities,); NaN does not count.
        draws: resamples, always the same ones.
        level: chance that the true mean lies below.

    """
    known = shares[~np.isnan(shares)]
    if not len(known):
        return float("nan")
    drawn = np.random.default_rng(0).integers(len(known), size=(draws, len(known)))
    return float(np.quantile(known[drawn].mean(axis=1), level))


def _unit(features: Array) -> Array:
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), np.float32)
