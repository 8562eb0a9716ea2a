"""Who is who: faces of one photo against the people known so far.

A face is taken for a person when most extractors accept the pair, and together they are sure; two
faces of one photo are never one person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photocloak.engine.geometry import Array
from photocloak.engine.recognition.ensemble import Embeddings, cosine

SURE = 0.15
"""Mean score from which a match counts.

An extractor's own threshold accepts one stranger in a hundred, too many for a list of people. On
1,428 photos of 217 people in random order, most extractors alone put 18 % of the photos with
somebody else; with this score it was .6 to 4 %, and 97 % lay in their person's main profile.
"""

DOUBT = -0.2
"""Mean score from which a face might be a person's, for who must not miss one.

Of 45 people, a profile of one photo each and three further photos: neither this score nor any
extractor's own threshold missed a face (405 pairs, the worst at −.01), `SURE` missed 5 %. It takes
7 % of all strangers for the person, and 14 % where the profile has three photos.
"""


@dataclass(frozen=True)
class Likeness:
    """How alike a face and a person are; nothing in common leaves everything in doubt.

    Attributes:
        matches: most of the extractors that know both accept the pair, and the score is `SURE`.
        doubtful: an extractor accepts the pair, or the score is `DOUBT`: they may be one person.
        score: mean of the cosines, each rescaled so that 0 is its threshold and 1 identity.

    """

    matches: bool
    doubtful: bool
    score: float


def unit(features: Array) -> Array:
    """Return the direction of features, (D,) float32."""
    return features / np.float32(max(float(np.linalg.norm(features)), 1e-12))


def likeness(face: Embeddings, person: Embeddings, thresholds: Mapping[str, float]) -> Likeness:
    """Compare two sets of features, (D,) by extractor; thresholds are raw cosines."""
    shared = [name for name in thresholds if name in face and name in person]
    if not shared:
        return Likeness(matches=False, doubtful=True, score=-1.0)
    margins = [
        (cosine(face[name], person[name]) - thresholds[name]) / (1 - thresholds[name])
        for name in shared
    ]
    score = float(np.mean(margins))
    accepted = sum(margin >= 0 for margin in margins)
    return Likeness(
        matches=2 * accepted > len(shared) and score >= SURE,
        doubtful=accepted > 0 or score >= DOUBT,
        score=score,
    )


def pair(
    faces: Sequence[Embeddings],
    people: Mapping[int, Embeddings],
    thresholds: Mapping[str, float],
) -> dict[int, int]:
    """Give faces to people, best pair first, each at most once: {index of face: id of person}."""
    pairs = []
    for index, face in enumerate(faces):
        for person, reference in people.items():
            found = likeness(face, reference, thresholds)
            if found.matches:
                pairs.append((-found.score, index, person))
    return _first_come(sorted(pairs))


def best_pairs(
    faces: Sequence[Embeddings],
    people: Mapping[int, Embeddings],
    thresholds: Mapping[str, float],
) -> dict[int, int]:
    """Give each person the face most like theirs, where it is known that a face is theirs."""
    pairs = sorted(
        (-likeness(face, reference, thresholds).score, index, person)
        for index, face in enumerate(faces)
        for person, reference in people.items()
    )
    return _first_come(pairs)


def _first_come(pairs: Sequence[tuple[float, int, int]]) -> dict[int, int]:
    """Take the pairs in their order, each face and each person at most once."""
    given: dict[int, int] = {}
    for _, index, person in pairs:
        if index not in given and person not in given.values():
            given[index] = person
    return given
