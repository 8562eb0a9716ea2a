"""Who sees what: each set is for one judge, shows nobody twice, and is half controls."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

CONTROL = "saved again"
"""The version of a photo that went through the exporter and nothing else."""


def draw_sets(
    people: Sequence[str], versions: Sequence[str], rng: np.random.Generator
) -> list[dict[int, str]]:
    """Return sets: which photos each shows, by index into `people`, and in which version.

    Photos are dealt into groups in which nobody comes twice. Each group makes twice as many sets as
    there are versions, a Latin square: over these every photo comes once in every version and as
    often as the control, so that neither an easy face nor a strict judge favours a version. Sets
    are ordered such that the first few already cover all groups.

    Args:
        people: whom each photo shows.
        versions: names of the altered versions.
        rng: what is drawn from.

    """
    slots = [slot for version in versions for slot in (version, CONTROL)]
    groups = _groups(people, rng)
    return [
        {photo: slots[(place + turn) % len(slots)] for place, photo in enumerate(group)}
        for turn in rng.permutation(len(slots)).tolist()
        for group in groups
    ]


def _groups(people: Sequence[str], rng: np.random.Generator) -> list[list[int]]:
    """Deal the photos out: as many groups as anybody has photos, of nearly the same size."""
    counts = Counter(people)
    groups: list[list[int]] = [[] for _ in range(max(counts.values(), default=0))]
    order = rng.permutation(len(people)).tolist()
    # Who has many photos comes first: whose are few then fill up what is short.
    for person, count in counts.most_common():
        shortest = sorted(range(len(groups)), key=lambda index: len(groups[index]))[:count]
        photos = [photo for photo in order if people[photo] == person]
        for index, photo in zip(shortest, photos, strict=True):
            groups[index].append(photo)
    return [rng.permutation(group).tolist() for group in groups]
