"""Lay out the sets: folders of pictures named by numbers that say nothing, and the key apart."""

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from benchmarks.visibility.design import CONTROL, draw_sets
from benchmarks.visibility.key import KINDS, Key, KeyEntry, Kind, write_key
from benchmarks.visibility.portrait import LONGEST_IN_PAIR, beside, portrait
from benchmarks.visibility.sources import Source
from benchmarks.visibility.versions import save_again
from photocloak import exporters
from photocloak.core import ConfigError, InputError
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.plugin.evaluation.cache import file_hash
from photocloak.plugin.evaluation.main_face import main_face
from photocloak.plugin.pipeline.process_photo import seed_of
from photocloak.plugin.progress import say

Versions = Mapping[str, Mapping[Path, Path]]
"""By name of the version: the file of each source that has one."""

SIDES = ("left", "right")


def build(
    sources: Sequence[Source], versions: Versions, folder: Path, key: Path, detector: Detector
) -> Key:
    """Write the sets into `folder`, whole or not at all, and the key into a file elsewhere.

    The same files make the same sets; other files make other numbers, so that answers cannot be
    scored with the key of another build.

    Args:
        sources: the clean photos. Those without all of the versions are left out, and told.
        versions: what to show of them.
        folder: where to; must not exist.
        key: must neither exist nor lie in `folder`.
        detector: finds the face.

    Raises:
        ConfigError: a place is taken, or no photo has all versions.
        InputError: a photo cannot be read or shows no face, or a version has another size.

    """
    check_places(folder, key)
    chosen = _complete(sources, versions)
    hashes = [file_hash(files[one.path]) for files in versions.values() for one in chosen]
    rng = np.random.default_rng(seed_of(*versions, *hashes))
    plans = _plan(chosen, list(versions), rng)
    entries: dict[str, KeyEntry] = {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
        sets = Path(place) / "sets"
        for source, plan in zip(chosen, plans, strict=True):
            entries |= _show(source, versions, plan, sets, detector)
        for kind in KINDS:
            text = (Path(__file__).with_name(f"{kind}.txt")).read_text("utf-8")
            for one in sets.glob(f"{kind}-*"):
                (one / "instructions.txt").write_text(text, "utf-8")
        # The order of the entries shall be as little help as the names are.
        write_key({number: entries[number] for number in sorted(entries)}, key)
        sets.rename(folder)
    return entries


def check_places(folder: Path, key: Path) -> None:
    """Raise ConfigError where sets and key cannot be written, before anything is computed."""
    for taken in (folder, key):
        if taken.exists():
            raise ConfigError(f"{taken}: exists already; name another place.")
    if folder.resolve() in key.resolve().parents:
        raise ConfigError(f"{key}: lies in the folder that judges get; keep the key elsewhere.")
    if not key.resolve().parent.is_dir():
        raise ConfigError(f"{key}: there is no such folder; make it first.")


def _complete(sources: Sequence[Source], versions: Versions) -> list[Source]:
    for name, files in versions.items():
        if missing := [one.path.name for one in sources if one.path not in files]:
            say(f"{name} has no version of {', '.join(missing)}: left out everywhere")
    chosen = [one for one in sources if all(one.path in files for files in versions.values())]
    if not versions or not chosen:
        raise ConfigError("No photo has every version; name modes or folders that have some.")
    return chosen


def _plan(
    sources: Sequence[Source], versions: Sequence[str], rng: np.random.Generator
) -> list[list[tuple[str, Kind, str, str, str]]]:
    """Return of each photo where it is shown: number, kind, set, version, side."""
    drawn = [
        (kind, f"{kind}-{place:02}", photo, version)
        for kind in KINDS
        for place, shown in enumerate(draw_sets([one.person for one in sources], versions, rng), 1)
        for photo, version in shown.items()
    ]
    numbers = 100_000 + rng.choice(900_000, len(drawn), replace=False)
    plans: dict[int, list[tuple[str, Kind, str, str, str]]] = defaultdict(list)
    for number, (kind, place_name, photo, version) in zip(numbers, drawn, strict=True):
        side = SIDES[rng.integers(2)] if kind == "pairs" else ""
        plans[photo].append((str(number), kind, place_name, version, side))
    return [plans[photo] for photo in range(len(sources))]


def _show(
    source: Source,
    versions: Versions,
    plan: Sequence[tuple[str, Kind, str, str, str]],
    sets: Path,
    detector: Detector,
) -> dict[str, KeyEntry]:
    """Write all pictures of one photo; return their entries."""
    photo = exporters.read(source.path)
    original = photo.pixels
    face = main_face(detector(original), (original.shape[0], original.shape[1]))
    if face is None:
        raise InputError(f"{source.path}: shows no face; leave it out.")
    shown = {CONTROL: save_again(photo)}
    for name, files in versions.items():
        shown[name] = exporters.read(files[source.path]).pixels
        if shown[name].shape != original.shape:
            raise InputError(f"{files[source.path]}: is not of the size of {source.path}.")
    entries = {}
    for number, kind, place, version, side in plan:
        (sets / place).mkdir(parents=True, exist_ok=True)
        picture = _picture(kind, original, shown[version], face, side)
        picture.save(sets / place / f"{number}.png", compress_level=1)
        entries[number] = KeyEntry(
            kind, place, str(source.path), source.shows, round(face.size), version, side
        )
    return entries


def _picture(kind: Kind, original: Image, shown: Image, face: Face, side: str) -> Pillow.Image:
    if kind == "alone":
        return portrait(shown, face)
    before, after = (portrait(one, face, LONGEST_IN_PAIR) for one in (original, shown))
    return beside(after, before) if side == "left" else beside(before, after)
