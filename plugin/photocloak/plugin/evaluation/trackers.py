"""The stranger's recognisers: the shipped extractors, and others that a TOML file describes."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from photocloak.core import ConfigError
from photocloak.engine.detection.alignment import Image, aligned, chip
from photocloak.engine.detection.faces import Face
from photocloak.engine.extractors import Extractor
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.geometry import Array
from photocloak.engine.runtime import open_session
from photocloak.plugin.evaluation.cache import fingerprint
from photocloak.plugin.evaluation.version import code_version

CODE = ("photocloak.engine.detection.alignment", "photocloak.engine.extractors.forward")


@dataclass(frozen=True)
class Tracker:
    """One recogniser of a stranger.

    Attributes:
        name: in reports.
        seen: the cloaks were computed against it.
        threshold: cosine at 1 % false accepts; None: to be measured on other people.
        version: changes when its features may.
        cut: the (h, w, 3) float32 chip of a face in an (H, W, 3) uint8 photo, 0..255.
        embed: raw features (N, D) of chips (N, h, w, 3).

    """

    name: str
    seen: bool
    threshold: float | None
    version: str
    cut: Callable[[Image, Face], Array]
    embed: Callable[[Array], Array]


def shipped_tracker(extractor: Extractor, *, seen: bool) -> Tracker:
    """Make a tracker of one of the product's own extractors."""
    spec = extractor.spec
    template = np.asarray(spec.template)
    return Tracker(
        spec.name,
        seen,
        spec.threshold,
        fingerprint(code_version(*CODE), replace(spec, model=Path(), licence_file=None)),
        lambda image, face: chip(image, face, template, spec.size),
        lambda chips: extractor.embed(np.ascontiguousarray(chips.transpose(0, 3, 1, 2))),
    )


@dataclass(frozen=True, kw_only=True)
class TrackerSpec:
    """A stranger's model. The fields are the keys of its TOML file.

    Attributes:
        name: in reports; title: what people call it.
        model: the ONNX file, relative to the folder of the trackers; its `sha256`.
        width: of the model's input in pixels; its `height`.
        template: five landmarks (x, y) in the chip, for alignment by a similarity; or
        upright: the crop is not turned, centred on the mean of the landmarks, and this many
            times as high as the way from between the eyes to between the mouth's corners.
        order: of the colours, "rgb" or "bgr"; then (value − `mean`) · `scale`, N × 3 × h × w.
        output: name of the features; None: the only output.
        threshold: cosine at 1 % false accepts, where it is known.
        licence: of the weights, and their `origin`, for the reader.

    """

    name: str
    title: str
    model: Path
    sha256: str
    width: int
    height: int
    template: list[list[float]] | None = None
    upright: float | None = None
    order: str = "rgb"
    mean: float = 0.0
    scale: float = 1.0
    output: str | None = None
    threshold: float | None = None
    licence: str = ""
    origin: str = ""

    def cut(self, image: Image, face: Face) -> Array:
        """Return the (height, width, 3) float32 chip."""
        side = max(self.width, self.height)
        if self.template is not None:
            # The template is laid into a square as wide as the chip; what is beyond is cut off.
            square = chip(image, face, np.asarray(self.template), side)
            return square[: self.height, : self.width]
        points = face.landmarks.astype(np.float64)
        x, y = points.mean(axis=0)
        way = float(np.linalg.norm(points[:2].mean(axis=0) - points[3:].mean(axis=0)))
        scale = float(self.upright or 0) * way / self.height
        middle = scale * (side - 1) / 2
        matrix = np.array([[scale, 0.0, x - middle], [0.0, scale, y - middle]])
        left, top = (side - self.width) // 2, (side - self.height) // 2
        return aligned(image, matrix, side)[top : top + self.height, left : left + self.width]

    @cached_property
    def _session(self) -> Any:
        return open_session(read_model(self.model, self.sha256), threads=1, device="cpu")

    def embed(self, chips: Array) -> Array:
        """Return the raw features (N, D) of chips (N, height, width, 3)."""
        planes = chips[..., ::-1] if self.order == "bgr" else chips
        values = (planes - np.float32(self.mean)) * np.float32(self.scale)
        feeds = {self._input: np.ascontiguousarray(values.transpose(0, 3, 1, 2))}
        rows = self._session.run([self.output] if self.output else None, feeds)[0]
        return np.asarray(rows, np.float32).reshape(len(chips), -1)

    @property
    def _input(self) -> str:
        return str(self._session.get_inputs()[0].name)

    def tracker(self) -> Tracker:
        """Return it as a tracker that no cloak was computed against."""
        version = fingerprint(code_version(*CODE, __name__), replace(self, model=Path()))
        return Tracker(self.name, False, self.threshold, version, self.cut, self.embed)


def read_trackers(models: Path, descriptions: Path) -> list[TrackerSpec]:
    """Return the models of a folder, described by the TOML files in `descriptions`.

    Raises ConfigError where there is no description, or one cannot be used.
    """
    found = [_read(path, models) for path in sorted(descriptions.glob("*.toml"))]
    if not found:
        raise ConfigError(
            f"{descriptions}: no TOML file describes a tracker there; "
            "docs/lab/protection.md shows one."
        )
    return found


def _read(path: Path, models: Path) -> TrackerSpec:
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from error
    known = {field.name: field for field in fields(TrackerSpec)}
    needed = {name for name, field in known.items() if field.default is MISSING}
    if wrong := sorted(set(table) - set(known)) + sorted(needed - set(table)):
        raise ConfigError(f"{path}: unknown or missing keys: {', '.join(wrong)}.")
    _check(path, table)
    return TrackerSpec(**(table | {"model": models / table["model"]}))


def _check(path: Path, table: Mapping[str, Any]) -> None:
    if ("template" in table) == ("upright" in table):
        raise ConfigError(f"{path}: give either `template` or `upright`.")
    if "template" in table and np.shape(table["template"]) != (5, 2):
        raise ConfigError(f"{path}: `template` must be five [x, y] points.")
    if table.get("order", "rgb") not in ("rgb", "bgr"):
        raise ConfigError(f'{path}: `order` must be "rgb" or "bgr".')
    for key in ("width", "height"):
        if type(table[key]) is not int or table[key] < 1:
            raise ConfigError(f"{path}: `{key}` must be a number of pixels.")
