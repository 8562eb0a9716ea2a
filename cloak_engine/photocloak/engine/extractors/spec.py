"""What a recogniser is: a TOML manifest, so that adding one takes a file and no code."""

import difflib
import tomllib
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from photocloak.core import ConfigError, manifest_root

Point = tuple[float, float]
ChannelOrder = Literal["rgb", "bgr"]


@dataclass(frozen=True, kw_only=True)
class ExtractorSpec:
    """One recogniser. The fields are the keys of its manifest.

    Attributes:
        name: what settings, reports and target libraries call it: lower case, digits, _ and -.
        title: what people call it.
        model: the ONNX file; in a manifest relative to the manifest's folder.
        sha256: of that file, hexadecimal.
        size: edge of the square chip it looks at, in pixels.
        template: where in the chip the five landmarks go, (x, y) in pixels: eye on the image's
            left, eye on its right, nose, mouth corners left and right.
        embedding: number of features.
        threshold: raw cosine which 1 % of pairs of different people reach.
        licence: SPDX expression of the weights.
        origin: package, version and file they come from.
        licence_file: its full text, relative like `model`.
        true_accepts: share of pairs of one person that reach `threshold`, for information.
        order: colour order of the model's input.
        mean: per channel of the model's input, in that order; subtracted from 0..255.
        scale: what the difference is multiplied by.
        input: name of the model's input; None: the only one.
        output: name of its features; None: the only output.

    """

    name: str
    title: str
    model: Path
    sha256: str
    size: int
    template: tuple[Point, ...]
    embedding: int
    threshold: float
    licence: str
    origin: str
    licence_file: Path | None = None
    true_accepts: float | None = None
    order: ChannelOrder = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    input: str | None = None
    output: str | None = None


def load_specs(*folders: Path) -> dict[str, ExtractorSpec]:
    """Return the shipped recognisers and those of `folders` by name, shipped ones first.

    Raises ConfigError as `read_spec` does, for a folder that does not exist, and where two
    manifests give the same name.
    """
    specs: dict[str, ExtractorSpec] = {}
    origins: dict[str, Path] = {}
    for folder in (manifest_root() / "extractors", *folders):
        if not folder.is_dir():
            raise ConfigError(f"The extractor folder {folder} does not exist; correct the setting.")
        for path in sorted(folder.glob("*.toml")):
            spec = read_spec(path)
            if spec.name in specs:
                raise ConfigError(
                    f"{path} and {origins[spec.name]} are both called {spec.name!r}; "
                    "give one of them another `name`."
                )
            specs[spec.name], origins[spec.name] = spec, path
    return specs


def read_spec(path: Path) -> ExtractorSpec:
    """Return the recogniser of a manifest; the model itself is not looked at.

    Raises ConfigError where the file cannot be read, a key is unknown or missing, or a value is
    not usable; the message names file and key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The manifest {path} cannot be read: {error}") from error
    required = {f.name for f in fields(ExtractorSpec) if f.default is MISSING}
    for key in table:
        if key not in _READERS:
            near = difflib.get_close_matches(key, _READERS, n=1, cutoff=0.0)[0]
            raise ConfigError(f"{path}: unknown key `{key}`; did you mean `{near}`?")
    if missing := sorted(required - table.keys()):
        raise ConfigError(
            f"{path}: `{'`, `'.join(missing)}` missing; see MODELS.md for an example."
        )
    values = {}
    for key, value in table.items():
        try:
            values[key] = _READERS[key](value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{path}: `{key}` {error}, not {value!r}.") from error
    for key in ("model", "licence_file"):
        if key in values:
            values[key] = path.parent / values[key]
    return ExtractorSpec(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("must be a text")
    return value


def _name(value: Any) -> str:
    if not _text(value).replace("-", "").replace("_", "").isalnum() or value != value.lower():
        raise ValueError("must be lower-case letters, digits, - and _")
    return str(value)


def _sha256(value: Any) -> str:
    if len(_text(value)) != 64 or set(value.lower()) - set("0123456789abcdef"):
        raise ValueError("must be 64 hexadecimal digits")
    return str(value.lower())


def _order(value: Any) -> str:
    if value not in ("rgb", "bgr"):
        raise ValueError('must be "rgb" or "bgr"')
    return str(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TypeError("must be a whole number above 0")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("must be a number")
    return float(value)


def _numbers(count: int) -> Callable[[Any], tuple[float, ...]]:
    def read(value: Any) -> tuple[float, ...]:
        if not isinstance(value, list) or len(value) != count:
            raise TypeError(f"must be {count} numbers")
        return tuple(_number(item) for item in value)

    return read


def _template(value: Any) -> tuple[tuple[float, ...], ...]:
    if not isinstance(value, list) or len(value) != 5:
        raise TypeError("must be five [x, y] points")
    return tuple(_numbers(2)(point) for point in value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "title": _text,
    "model": _text,
    "sha256": _sha256,
    "size": _count,
    "template": _template,
    "embedding": _count,
    "threshold": _number,
    "licence": _text,
    "origin": _text,
    "licence_file": _text,
    "true_accepts": _number,
    "order": _order,
    "mean": _numbers(3),
    "scale": _number,
    "input": _text,
    "output": _text,
}
