"""What the graphs need to know of each face, in arrays that lie on the device for all steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.device.descents import COARSE
from photocloak.engine.edits.contrast import SIGMAS, Contrast
from photocloak.engine.edits.light import Light
from photocloak.engine.edits.retouch import EDITS, Retouch
from photocloak.engine.edits.warp import WarpEdit
from photocloak.engine.geometry import Array
from photocloak.engine.optimisation.methods import Retouching

_PLANE, _NUMBER = (1, SIZE, SIZE), (1, 1, 1)

PARAMETERS = {
    "warp": (2, WarpEdit.knots, WarpEdit.knots),
    "contrast": (len(SIGMAS), Contrast.knots, Contrast.knots),
    "light": (1, Light.knots, Light.knots),
    "delta": _PLANE,
}
"""Shapes of one face's parameters and velocities; δ's grid is filled up with zeros."""

SHAPES = {
    "planes": (3, SIZE, SIZE),
    **{f"{name}_window": _PLANE for name in EDITS},
    **{f"{name}_limit": _NUMBER for name in EDITS},
    "rho": _NUMBER,
    "refine": _PLANE,
    "texture": _PLANE,
    **dict.fromkeys(COARSE, _PLANE),
    "per_point": _NUMBER,
    "rate": _NUMBER,
}
"""Shapes of what stays the same from step to step."""


def fixed(searches: Sequence[Retouching]) -> dict[str, Array]:
    """Return what stays the same, (N, …) each as in SHAPES."""
    return _stacked([_of(one) for one in searches])


def parameters(searches: Sequence[Retouching]) -> dict[str, Array]:
    """Return the parameters as they are now, (N, …) each as in PARAMETERS."""
    return _stacked(
        [
            {**one.parameters, "delta": _filled(one.parameters["delta"], PARAMETERS["delta"])}
            for one in searches
        ]
    )


def own(search: Retouching, row: dict[str, Array]) -> dict[str, Array]:
    """Return one face's parameters without the zeros that filled them up."""
    grid = search.retouch.space.grid
    return {**row, "delta": np.ascontiguousarray(row["delta"][:, :grid, :grid])}


def _of(search: Retouching) -> dict[str, Array]:
    retouch: Retouch = search.retouch
    descent = search.budget
    windows = {edit.name: edit.window for edit in (retouch.warp, retouch.contrast, retouch.light)}
    limits = {edit.name: edit.limit for edit in (retouch.warp, retouch.contrast, retouch.light)}
    planes = {
        "planes": retouch.planes,
        **{f"{name}_window": window for name, window in windows.items()},
        "delta_window": retouch.delta.window,
        "refine": retouch.delta.refine.rows,
        "texture": descent.texture,
        **{name: one.rows for name, one in zip(COARSE, descent.coarse, strict=True)},
    }
    numbers = {
        **{f"{name}_limit": limit for name, limit in limits.items()},
        "delta_limit": retouch.delta.linf,
        "rho": retouch.delta.bound,
        "per_point": 1.0 / retouch.space.grid**2,
        "rate": descent.rate,
    }
    return {
        **{name: _filled(plane, SHAPES[name]) for name, plane in planes.items()},
        **{name: np.full(_NUMBER, number, np.float32) for name, number in numbers.items()},
    }


def _filled(plane: Array, shape: tuple[int, ...]) -> Array:
    """Return (h, w) or (C, h, w) in the upper left of zeros of a shape (C, H, W)."""
    out = np.zeros(shape, np.float32)
    out[..., : plane.shape[-2], : plane.shape[-1]] = plane
    return out


def _stacked(rows: Sequence[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
