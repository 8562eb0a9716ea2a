"""How much of a cloak there is to see, measured on the written file in the box of the face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.budget import Dssim
from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array, gaussian
from photocloak.plugin.evaluation.colour import YCBCR, ciede2000
from photocloak.plugin.evaluation.noise import noise_kept

LOW_PASS = 0.15
"""σ of the low-pass as a share of the distance between the eyes: what is left are features of a
face, such as a nose that became broader, not the grain of the cloak."""

CLASSES = {"40-100 px": (40, 100), "100-300 px": (100, 300), "over 300 px": (300, np.inf)}
"""Shorter side of the face's box, from and up to."""


@dataclass(frozen=True)
class Change:
    """What a cloak did to one face.

    Attributes:
        size: shorter side of the face's box in pixels.
        dssim: on the 224-px aligned crop, as budgets are stated.
        dssim_box: in the box at the photo's own scale.
        psnr: decibels, in the box.
        ciede_median: ΔE₀₀ of the box's pixels, median; ciede_p95: their 95th percentile.
        low_luma: root mean square of the low-passed change of luma, grey levels.
        low_chroma: the same of Cb and Cr together.
        flip: what an eye notices that flips between the two, 0 to 1, mean over the box (Andersson
            et al. 2020, at 67 pixels per degree); NaN without the package flip-evaluator.
        noise_kept: noise in flat skin, as a share of what was there.

    """

    size: float
    dssim: float
    dssim_box: float
    psnr: float
    ciede_median: float
    ciede_p95: float
    low_luma: float
    low_chroma: float
    flip: float
    noise_kept: float


def change(before: Image, after: Image, face: Face) -> Change:
    """Compare two (H, W, 3) uint8 photos of one size at a face of the first."""
    eyes = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
    margin = int(np.ceil(3 * LOW_PASS * eyes))
    (x0, y0, x1, y1), (left, top, right, bottom) = _boxes(face, before.shape, margin)
    one, other = (photo[top:bottom, left:right] for photo in (before, after))
    inner = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    delta = other.astype(np.float32) - one.astype(np.float32)
    rows, columns = (gaussian(n, LOW_PASS * eyes) for n in delta.shape[:2])
    planes = np.tensordot(YCBCR, delta, axes=(1, 2))
    low = np.matmul(np.matmul(rows, planes), columns.T)[:, *inner]
    far = ciede2000(one[inner], other[inner])
    space = FaceSpace.of(face)
    return Change(
        size=face.size,
        dssim=Dssim(space.crop(before)).measure(space.crop(after)),
        dssim_box=Dssim(_planes(one[inner])).measure(_planes(other[inner])),
        psnr=float(10 * np.log10(255**2 / max(float(np.mean(delta[inner] ** 2)), 1e-9))),
        ciede_median=float(np.median(far)),
        ciede_p95=float(np.quantile(far, 0.95)),
        low_luma=float(np.sqrt(np.mean(low[0] ** 2))),
        low_chroma=float(np.sqrt(np.mean(low[1:] ** 2))),
        flip=float(_flip(one, other)[inner].mean()),
        noise_kept=noise_kept(before, after, face),
    )


def _flip(before: Image, after: Image) -> Array:
    """Return how noticeable a flip between the pictures is, (H, W) 0 to 1."""
    if not flip_version():
        return np.full(before.shape[:2], np.nan, np.float32)
    import flip_evaluator

    pictures = (np.ascontiguousarray(photo / np.float32(255)) for photo in (before, after))
    found = flip_evaluator.evaluate(*pictures, "LDR", applyMagma=False, computeMeanError=False)
    return np.asarray(found[0], np.float32).reshape(before.shape[:2])


def flip_version() -> str:
    """Return the version of FLIP; empty where it is not installed."""
    try:
        return version("flip-evaluator")
    except PackageNotFoundError:
        return ""


def summary(changes: Sequence[Change]) -> dict[str, float]:
    """Return means over faces, for DSSIM the 95th percentile as well."""
    if not changes:
        return {"faces": 0}
    table = {f.name: np.array([getattr(one, f.name) for one in changes]) for f in fields(Change)}
    result = {"faces": float(len(changes)), "dssim_p95": float(np.quantile(table["dssim"], 0.95))}
    return result | {name: float(values.mean()) for name, values in table.items()}


def by_class(changes: Sequence[Change]) -> Mapping[str, dict[str, float]]:
    """Return the summaries of all faces and of each class of sizes."""
    parts = {
        name: [one for one in changes if low <= one.size < high]
        for name, (low, high) in CLASSES.items()
    }
    return {name: summary(part) for name, part in ({"all": changes} | parts).items()}


Box = tuple[int, int, int, int]


def _boxes(face: Face, shape: tuple[int, ...], margin: int) -> tuple[Box, Box]:
    """Return left, top, right, bottom of the face's box, and of it with a margin, inside."""
    x, y, w, h = face.box
    edges = np.array([np.floor(x), np.floor(y), np.ceil(x + w), np.ceil(y + h)])
    limit = np.array([shape[1], shape[0]] * 2)
    inner = np.clip(edges, 0, limit).astype(int)
    outer = np.clip(edges + margin * np.array([-1, -1, 1, 1]), 0, limit).astype(int)
    return _box(inner), _box(outer)


def _box(edges: NDArray[np.int64]) -> Box:
    left, top, right, bottom = map(int, edges)
    return left, top, right, bottom


def _planes(pixels: Image) -> Array:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1).astype(np.float32))
