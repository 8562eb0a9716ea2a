"""Step 1: eq. 3 picks the farthest of the drawn candidates, and nobody is nobody."""

from pathlib import Path

import numpy as np
import pytest

from photocloak.core import ConfigError, ModelError
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings, direction
from photocloak.engine.targets.library import CANDIDATES, Target, TargetLibrary, target_from_photos
from photocloak.engine.targets.synthesis import Crowd, build_library

EXTRACTORS = {"hse": 48, "other": 40}


def _library(rng: np.random.Generator, size: int = 12) -> TargetLibrary:
    targets, looks = {}, {}
    for i in range(size):
        members = {e: rng.normal(size=(4, d)).astype("f4") + 1 for e, d in EXTRACTORS.items()}
        centroid = {e: m.mean(axis=0) for e, m in members.items()}
        targets[f"t{i}"] = Target(f"t{i}", members, centroid)
        looks[f"t{i}"] = Attributes(20.0 + 5 * i, float(i % 2), 10.0 * i)
    means = {e: np.ones(d, "f4") for e, d in EXTRACTORS.items()}
    return TargetLibrary(targets, looks, means)


def _photos(rng: np.random.Generator, count: int = 3) -> list[Embeddings]:
    return [{e: rng.normal(size=d).astype("f4") + 1 for e, d in EXTRACTORS.items()}] * count


def _far(library: TargetLibrary, photos: list[Embeddings], name: str) -> float:
    """Eq. 3's inner minimum, written out again."""

    def gap(photo: Embeddings, e: str) -> float:
        mine = direction(photo[e], library.means[e])
        theirs = direction(library.targets[name].centroid[e], library.means[e])
        return float(((mine - theirs) ** 2).sum())

    return min(float(np.sqrt(np.mean([gap(photo, e) for e in EXTRACTORS]))) for photo in photos)


def test_eq3_takes_the_farthest_of_all_when_k_covers_the_library() -> None:
    rng = np.random.default_rng(0)
    library, photos = _library(rng), _photos(rng)
    assert len(library.targets) <= CANDIDATES
    chosen = library.choose(photos, None, seed=1)
    assert chosen.name == max(library.targets, key=lambda name: _far(library, photos, name))


def test_matching_draws_from_those_who_look_alike() -> None:
    rng = np.random.default_rng(1)
    library, photos = _library(rng), _photos(rng)
    me = Attributes(20.0, 0.0, 0.0)
    alike = sorted(library.targets, key=lambda n: me.distance(library.attributes[n]))[:3]
    for seed in range(5):
        assert library.choose(photos, me, seed=seed).name in alike


def test_taken_targets_are_left_to_their_people() -> None:
    rng = np.random.default_rng(2)
    library, photos = _library(rng), _photos(rng)
    taken: list[str] = []
    for seed in range(12):
        taken.append(library.choose(photos, None, taken=taken, seed=seed).name)
    assert len(set(taken)) == 12


def test_a_library_comes_back_from_disk_as_it_went(tmp_path: Path) -> None:
    library = _library(np.random.default_rng(3))
    library.save(tmp_path / "library.npz")
    again = TargetLibrary.load(tmp_path / "library.npz")
    assert list(again.targets) == list(library.targets)
    for e in EXTRACTORS:
        np.testing.assert_allclose(again.means[e], library.means[e])
        np.testing.assert_allclose(
            again.targets["t3"].members[e], library.targets["t3"].members[e], atol=2e-3
        )


def test_a_broken_library_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "library.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(ModelError, match=r"library\.npz.*targets build"):
        TargetLibrary.load(tmp_path / "library.npz")


def test_an_extractor_the_library_does_not_know_is_named() -> None:
    with pytest.raises(ConfigError, match="mine"):
        _library(np.random.default_rng(4)).require(["hse", "mine"])


def test_a_target_folder_without_faces_is_refused() -> None:
    with pytest.raises(ConfigError, match="no photo with a face"):
        target_from_photos("friends", [])


def test_nobody_matches_no_more_people_than_a_person_does() -> None:
    rng = np.random.default_rng(5)
    people = 60
    centres = {e: rng.normal(size=(people, d)) for e, d in EXTRACTORS.items()}
    photos = [
        [
            {e: (centres[e][i] + 0.3 * rng.normal(size=d)).astype("f4")
             for e, d in EXTRACTORS.items()}
            for _ in range(3)
        ]
        for i in range(people)
    ]  # fmt: skip
    looks = [Attributes(30.0 + i % 20, float(i % 2), float(i)) for i in range(people)]

    def head(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(features), 40.0, "f4"), np.full(len(features), 0.5, "f4")

    thresholds = dict.fromkeys(EXTRACTORS, 0.45)
    library, census = build_library(Crowd(photos, looks), thresholds, head, size=20, seed=7)
    assert len(library.targets) == 20
    for e, entries in census.matches.items():
        assert entries <= census.real[e]
    for e in EXTRACTORS:  # no entry is somebody
        unit = centres[e] / np.linalg.norm(centres[e], axis=1, keepdims=True)
        for target in library.targets.values():
            entry = target.centroid[e] / np.linalg.norm(target.centroid[e])
            assert (unit @ entry).max() < 0.8
