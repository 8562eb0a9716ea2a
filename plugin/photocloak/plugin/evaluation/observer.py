"""A stranger's eyes: find the face in a file, align it, embed it; each file once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from photocloak import exporters
from photocloak.core import InputError
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face, same_face
from photocloak.engine.geometry import Array
from photocloak.plugin.evaluation.cache import Cache, fingerprint
from photocloak.plugin.evaluation.main_face import main_face
from photocloak.plugin.evaluation.protocol import Picture
from photocloak.plugin.evaluation.trackers import Tracker
from photocloak.plugin.evaluation.treatments import TREATMENTS
from photocloak.plugin.evaluation.version import code_version

BATCH = 16

CODE = (
    "photocloak.engine.detection.detector",
    "photocloak.plugin.evaluation.main_face",
    "photocloak.plugin.evaluation.treatments",
)


@dataclass(frozen=True)
class Shot:
    """One photo as a stranger gets it.

    Attributes:
        file: the written file and its hash.
        treatment: what happened to it on the way; a key of `TREATMENTS`.
        clean: the photo it was made of; None for a photo that is clean itself.

    """

    file: Picture
    treatment: str = "cloaked"
    clean: Picture | None = None


@dataclass(frozen=True, eq=False)
class ObservedPhoto:
    """Where the identity's face is in a shot.

    Attributes:
        face: its box and landmarks; where it was not found, those of the clean photo.
        detected: it was found.
        shape: height and width of the photo as the stranger has it.

    """

    face: Face
    detected: bool
    shape: tuple[int, int]


class Observer:
    """Looks at shots for several trackers at once, and remembers."""

    def __init__(self, cache: Cache, detector: Detector, trackers: Sequence[Tracker]) -> None:
        self._cache, self._detector = cache, detector
        self._trackers = trackers
        self._waiting: dict[str, list[tuple[str, Array]]] = defaultdict(list)
        self._version = code_version(*CODE)

    def observe(self, shots: Iterable[Shot], *, what: str) -> None:
        """Find and embed whatever is not known yet; `what` names them in the progress shown."""
        todo = [shot for shot in dict.fromkeys(shots) if self._missing(shot)]
        for number, shot in enumerate(tqdm(todo, desc=what, unit="photo", disable=None), 1):
            self._observe(shot)
            if number % (4 * BATCH) == 0:
                self._flush()
        self._flush()

    def seen(self, shot: Shot) -> ObservedPhoto | None:
        """Return where the face is, after `observe`; None: a clean photo that shows none."""
        values = self._cache.get(self._place_key(shot))
        if values is None or len(values) == 1:
            return None
        landmarks = np.array(values[4:14].reshape(5, 2))
        x, y, w, h = (float(value) for value in values[:4])
        face = Face((x, y, w, h), landmarks, float(values[14]))
        return ObservedPhoto(face, bool(values[15]), (int(values[16]), int(values[17])))

    def features(self, shot: Shot, tracker: Tracker) -> Array:
        """Return the (D,) raw features of the shot's face, after `observe`."""
        found = self._cache.get(self._key(shot, tracker))
        if found is None:
            raise LookupError(f"{shot.file.path} has not been looked at")
        return found

    def _missing(self, shot: Shot) -> bool:
        place = self._cache.get(self._place_key(shot))
        if place is None:
            return True
        return len(place) > 1 and any(
            self._cache.get(self._key(shot, tracker)) is None for tracker in self._trackers
        )

    def _observe(self, shot: Shot) -> None:
        try:
            image = TREATMENTS[shot.treatment](exporters.read(shot.file.path).pixels)
        except InputError:
            if shot.clean is not None:
                raise
            image = None
        seen = None if image is None else (self.seen(shot) or self._find(shot, image))
        self._cache.put(self._place_key(shot), _packed(seen))
        if seen is None or image is None:
            return
        for tracker in self._trackers:
            key = self._key(shot, tracker)
            if self._cache.get(key) is None:
                self._waiting[tracker.name].append((key, tracker.cut(image, seen.face)))
                if len(self._waiting[tracker.name]) >= BATCH:
                    self._embed(tracker)

    def _find(self, shot: Shot, image: Image) -> ObservedPhoto | None:
        faces = self._detector(image)
        shape = (image.shape[0], image.shape[1])
        if shot.clean is None:
            face = main_face(faces, shape)
            return None if face is None else ObservedPhoto(face, True, shape)
        anchor = self.seen(Shot(shot.clean))
        if anchor is None:
            raise LookupError(f"{shot.clean.path} has not been looked at")
        expected = _scaled(anchor.face, shape[0] / anchor.shape[0])
        face = same_face(expected, faces)
        return ObservedPhoto(expected if face is None else face, face is not None, shape)

    def _embed(self, tracker: Tracker) -> None:
        waiting = self._waiting.pop(tracker.name, [])
        if waiting:
            rows = tracker.embed(np.stack([chip for _, chip in waiting]))
            for (key, _), row in zip(waiting, rows, strict=True):
                self._cache.put(key, row)

    def _flush(self) -> None:
        for tracker in self._trackers:
            self._embed(tracker)
        self._cache.commit()

    def _place_key(self, shot: Shot) -> str:
        clean = "" if shot.clean is None else shot.clean.sha256
        return f"face/{fingerprint(self._version, shot.file.sha256, shot.treatment, clean)}"

    def _key(self, shot: Shot, tracker: Tracker) -> str:
        return f"features/{fingerprint(self._place_key(shot), tracker.version)}"


def _scaled(face: Face, factor: float) -> Face:
    x, y, w, h = (value * factor for value in face.box)
    return Face((x, y, w, h), np.asarray(face.landmarks * factor, np.float32), face.score)


def _packed(seen: ObservedPhoto | None) -> Array:
    if seen is None:
        return np.zeros(1, np.float32)
    return np.array(
        [
            *seen.face.box,
            *seen.face.landmarks.ravel(),
            seen.face.score,
            seen.detected,
            *seen.shape,
        ],
        np.float32,
    )


def usable(observer: Observer, photos: Iterable[Picture]) -> tuple[Picture, ...]:
    """Return the photos that show a face, after `observe`."""
    return tuple(one for one in photos if observer.seen(Shot(one)) is not None)
