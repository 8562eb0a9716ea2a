"""GIMP 3 with the real engine: the layers that it makes of unusual images, up to 100 megapixels.

`tests/hosts/debian13/run gimp` runs it. `pictures` in the test's folder holds what GIMP shows, for
somebody to look at.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.exporters.files import profile
from tests.hosts.gimp3.gimp import PHOTOCLOAK, Host, png, portrait
from tests.hosts.gimp3.scripts import MADE
from tests.plugin.fakes import picture

FACE = np.array([171, 63, 110, 148]) / 512
"""x, y, width and height of the demo's, as shares of its side."""
REACH = 0.75
"""What of a face's size on each side a cloak may change at most."""


@dataclass(frozen=True)
class Case:
    """An image to be cloaked.

    Attributes:
        side: of the image, pixels.
        portrait: its first row, which is its first column as well, and its side.
        bands: samples a pixel.
        levels: the largest sample.
        precision: what GIMP calls its samples.

    """

    side: int
    portrait: tuple[int, int]
    bands: int
    levels: int
    precision: str


CASES = {
    "p3": Case(1024, (0, 1024), 3, 65535, "u16-non-linear"),
    "gray16": Case(1024, (0, 1024), 1, 65535, "u16-non-linear"),
    "big": Case(10_000, (6500, 2048), 3, 255, "u8-non-linear"),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    host = Host(tmp_path_factory.mktemp("layers"))
    face = Pillow.fromarray(portrait())
    large = np.asarray(face.resize((1024, 1024), Pillow.Resampling.LANCZOS))
    deep = large.astype(np.uint16) * 256 + np.arange(1024, dtype=np.uint16)[:, None, None] % 97
    png(host.photos / "p3.png", deep, profile("Display P3"))
    png(host.photos / "gray16.png", deep[..., 1:2])
    big = Pillow.fromarray(picture(10_000, 10_000))
    at, side = CASES["big"].portrait
    big.paste(face.resize((side, side), Pillow.Resampling.LANCZOS), (at, at))
    big.save(host.photos / "big.jpg", quality=92)
    host.install()
    return host


@pytest.fixture(scope="module")
def made(host: Host) -> dict[str, Any]:
    photos = {name: str(host.photos / f"{name}.png") for name in ("p3", "gray16")}
    photos |= {"big": str(host.photos / "big.jpg"), "out": str(host.root / "out.jpg")}
    told = host.play(MADE.format(command=str(PHOTOCLOAK), **photos))
    pictures = host.root / "pictures"
    pictures.mkdir()
    for name in CASES:
        for state in ("clean", "cloaked"):
            look(host, name, state).save(pictures / f"{name}-{state}.png", compress_level=1)
    return {answer["name"]: answer for answer in told}


def shown(host: Host, name: str, state: str) -> NDArray[Any]:
    """Return what GIMP has shown, (side, side, bands)."""
    case = CASES[name]
    kind = np.uint8 if case.levels == 255 else np.uint16
    pixels = np.fromfile(host.root / f"{name}.{state}", kind)
    return pixels.reshape(case.side, case.side, case.bands)


def look(host: Host, name: str, state: str) -> Pillow.Image:
    pixels = shown(host, name, state)
    return Pillow.fromarray(
        (pixels // ((CASES[name].levels + 1) // 256)).astype(np.uint8).squeeze()
    )


@pytest.mark.parametrize("name", CASES)
def test_a_layer_changes_the_face_and_nothing_else(
    host: Host, made: dict[str, Any], name: str
) -> None:
    case, answer = CASES[name], made[name]
    assert not answer["error"]
    assert answer["layers"][0] == "Cloaked (balanced)" and answer["precision"] == case.precision
    assert answer["at"] == [0, 0, case.side, case.side]
    clean, cloaked = (shown(host, name, state) for state in ("clean", "cloaked"))
    mask = np.fromfile(host.root / f"{name}.mask", np.uint8).reshape(case.side, case.side)
    off = np.abs(clean.astype(np.int32) - cloaked)
    assert off[mask == 0].max() <= case.levels // 65535  # GIMP composes in floating point
    start, side = case.portrait
    x, y, width, height = FACE * side + (start, start, 0, 0)
    middle = np.s_[
        int(y + height * 0.25) : int(y + height * 0.6),
        int(x + width * 0.25) : int(x + width * 0.75),
    ]
    assert mask[middle].all()
    assert 0.002 < off[middle].mean() / case.levels < 0.05
    rows, columns = np.nonzero(mask)
    assert columns.min() >= x - REACH * width and columns.max() <= x + (1 + REACH) * width
    assert rows.min() >= y - REACH * height and rows.max() <= y + (1 + REACH) * height


def test_a_hundred_megapixels_are_exported(
    host: Host, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not made["exported"]["error"]
    out: Path = host.root / "out.jpg"
    (told,) = host.photocloak("check", "--json", out).splitlines()
    assert json.loads(told)["status"] == "cloaked"
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", None)  # else a warning
    with Pillow.open(out) as written:
        assert written.size == (10_000, 10_000)


def test_nothing_is_left(host: Host, made: dict[str, Any]) -> None:
    assert not list((host.home / ".cache/photocloak/gimp").iterdir())
