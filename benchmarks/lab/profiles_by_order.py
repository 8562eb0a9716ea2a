"""Do profiles depend on the order of photos? 21 people, up to ten photos of each, unnamed.

python -m benchmarks.lab.profiles_by_order [--orders N]       (PHOTOCLOAK_LAB is set)

Three ways from photos to profiles: each face against the profiles so far, as it was until issue 15
(`greedy`); all photos as one batch; and one photo after the other, each a batch of one, where
profiles that later photos show to be one are joined. Nothing is cloaked.
"""

import argparse
import hashlib
import os
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from photocloak import exporters
from photocloak.engine.detection.faces import alignable
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target
from photocloak.plugin import Database, Folders, People, Settings, load_engine
from photocloak.plugin.assembly import specs
from photocloak.plugin.evaluation.protocol import folders_of
from photocloak.plugin.people import profiles
from photocloak.plugin.people.assignment import ObservedFace, Sighted
from photocloak.plugin.people.grouping import add
from photocloak.plugin.people.matching import pair, unit

Photos = Mapping[str, tuple[str, Sequence[Embeddings]]]
"""Whose each photo is, and its certain faces, the largest first, by hash of its content."""

Profiles = Mapping[str, int]
"""In which profile the largest face of each photo is."""


def observed() -> Photos:
    """Look at the photos."""
    lab = Path(os.environ["PHOTOCLOAK_LAB"]) / "data" / "faces" / "lfw_protect"
    engine = load_engine(Settings(), Folders(Path("none"), Path("none")))
    photos = {}
    for person in folders_of(lab, ("development",)):
        for path in sorted(person.iterdir())[:10]:
            pixels = exporters.read(path).pixels
            found = [one for one in engine.detector(pixels) if alignable(one, pixels.shape)]
            faces = [one for one in found if one.score >= engine.detector.high]
            if faces:
                content = hashlib.sha256(pixels.data).hexdigest()
                photos[content] = (person.name, engine.ensemble.embed(pixels, faces))
    return photos


def greedy(photos: Photos, order: Sequence[str], thresholds: Mapping[str, float]) -> Profiles:
    """Take each photo's faces for the profiles that they match, else make new ones."""
    people: dict[int, Embeddings] = {}
    result = {}
    for photo in order:
        faces = photos[photo][1]
        given = pair(faces, people, thresholds)
        for index, face in enumerate(faces):
            person = given.get(index, len(people))
            own = {name: unit(one) for name, one in face.items()}
            people[person] = add(people[person], own) if person in people else own
            if index == 0:
                result[photo] = person
    return result


def learned(
    photos: Photos, batches: Iterable[Sequence[str]], thresholds: Mapping[str, float]
) -> Profiles:
    """Have the product's people store learn the photos, a batch at a time."""
    features = next(iter(photos.values()))[1][0]

    def choose(_: Sequence[ObservedFace], photo: str, __: Collection[str]) -> Target:
        return Target(photo, {}, features)

    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "people.db")
        people = People(database, thresholds)
        for batch in batches:
            seen = [
                Sighted(one, [ObservedFace(face, certain=True) for face in photos[one][1]])
                for one in batch
            ]
            people.learn(seen, library=_Any(), choose=choose)
        with database.transaction() as connection:
            shown = profiles.photos_of_people(connection)
            sums = profiles.centroids(connection)
    result = {}
    for photo, (_, faces) in photos.items():
        there = {person: sums[person] for person, known in shown.items() if photo in known}
        result[photo] = max(
            there,
            key=lambda one: sum(float(unit(there[one][n]) @ unit(faces[0][n])) for n in sums[one]),
        )
    return result


class _Any(dict[str, Target]):
    """A library that has every target."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, name: str) -> Target:
        return Target(name, {}, {})


def told(photos: Photos, found: Profiles) -> tuple[dict[str, list[int]], list[set[str]]]:
    """Return whose photos lie in several profiles, and who shares one."""
    of: dict[str, Counter[int]] = defaultdict(Counter)
    who: dict[int, set[str]] = defaultdict(set)
    for photo, profile in found.items():
        of[photos[photo][0]][profile] += 1
        who[profile].add(photos[photo][0])
    split = {name: sorted(c.values(), reverse=True) for name, c in of.items() if len(c) > 1}
    return split, [names for names in who.values() if len(names) > 1]


def joined(photos: Photos, found: Profiles) -> set[tuple[str, str]]:
    """Return the pairs of photos of one person that lie in one profile."""
    return {
        (a, b)
        for a, b in combinations(sorted(found), 2)
        if photos[a][0] == photos[b][0] and found[a] == found[b]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10)
    arguments = parser.parse_args()
    photos = observed()
    thresholds = {name: one.threshold for name, one in specs(Folders(Path(), Path())).items()}
    people = {name for name, _ in photos.values()}
    say(f"{len(photos)} photos of {len(people)} people")
    batch = learned(photos, [sorted(photos)], thresholds)
    say(f"batch: split {told(photos, batch)[0]}, shared {told(photos, batch)[1]}")
    some: set[tuple[str, str]] = set()
    for number in range(arguments.orders):
        order = sorted(photos)
        random.Random(number).shuffle(order)
        for name, found in (
            ("greedy", greedy(photos, order, thresholds)),
            ("one by one", learned(photos, [[one] for one in order], thresholds)),
            ("batch", learned(photos, [order], thresholds)),
        ):
            some |= joined(photos, found)
            split, shared = told(photos, found)
            say(f"order {number}, {name}: split {split}, shared {shared}")
            if name == "batch":
                assert joined(photos, found) == joined(photos, batch), "the order decided something"
    apart = Counter(photos[a][0] for a, b in some - joined(photos, batch))
    say(f"apart in the batch, together in some order: {dict(apart)}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
