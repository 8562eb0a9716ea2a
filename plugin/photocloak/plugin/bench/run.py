"""The bench from end to end."""

import os
import tempfile
from pathlib import Path

from photocloak.engine.detection.detector import Detector
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.subject import Subject
from photocloak.engine.targets.library import TargetLibrary
from photocloak.plugin.assembly import library_file, specs, threads_each
from photocloak.plugin.bench import photos
from photocloak.plugin.bench.kernels import KernelShare, share_of_kernels
from photocloak.plugin.bench.machine import Machine
from photocloak.plugin.bench.reference import load_reference
from photocloak.plugin.bench.results import Results
from photocloak.plugin.bench.steps import time_steps
from photocloak.plugin.bench.whole import Size, time_photos, time_start
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders, models_folder

SIZES = (Size(2, 1), Size(2, 4), Size(12, 1), Size(24, 1), Size(24, 4))
"""Kinds of photo; a face of the first one is the figure, the largest one shows the memory."""

LARGEST = Size(24, 1)


def bench(
    settings: Settings,
    folders: Folders,
    *,
    repeats: int,
    sizes: tuple[Size, ...] = SIZES,
    largest: Size = LARGEST,
) -> Results:
    """Measure everything on this machine; takes minutes."""
    machine, found = Machine.here(), specs(folders)
    steps = time_steps(found, threads=threads_each(settings, len(found)), repeats=repeats)
    return Results(
        machine,
        0.0,
        repeats,
        settings.mode,
        steps,
        profile(folders, turns=repeats),
        time_photos(sizes, settings, folders, repeats=repeats),
        time_start(largest, repeats=repeats),
        load_reference(),
    ).after(os.getloadavg()[0])


def profile(folders: Folders, *, turns: int) -> KernelShare:
    """Tell where a step of the portrait's cloak goes."""
    library = TargetLibrary.load(library_file(folders))
    image = photos.photo(2, 1)
    [face] = Detector(cache=models_folder())(image)

    def find(ensemble: Ensemble) -> Subject:
        [own] = ensemble.embed(image, [face])
        return Subject(face, library.choose([own], None, seed=0), own, load_mode("balanced"))

    with tempfile.TemporaryDirectory(prefix="photocloak-bench-") as place:
        return share_of_kernels(
            specs(folders), library, image, find, turns=turns, folder=Path(place)
        )
