"""The edits as formulas of values, and their bounds; each as its module in `engine.edits` says."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from photocloak.engine.budget import C1, C2, averaging
from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.device.value import Value, together
from photocloak.engine.edits.contrast import SIGMAS, Contrast
from photocloak.engine.edits.fields import LUMA, spread
from photocloak.engine.edits.light import GAMMA, Light
from photocloak.engine.edits.tone import TOE
from photocloak.engine.edits.warp import WarpEdit
from photocloak.engine.geometry import gaussian

_LUMA = LUMA.reshape(1, 3, 1, 1)
_TINY = 1e-12
_INT64 = 7  # onnx.TensorProto.INT64
_FOOT = float(TOE)

Faces = Mapping[str, Value]
"""What is known of the faces and their parameters, by name; see `faces.SHAPES`."""


def luma(planes: Value) -> Value:
    """Return the luma (N, 1, H, W) of (N, 3, H, W)."""
    return (planes * _LUMA).sum(1)


def field(coefficients: Value, knots: int) -> Value:
    """Return the fields, (N, C, SIZE, SIZE), of (N, C, knots, knots)."""
    matrix = spread(knots).rows
    return matrix @ coefficients @ matrix.T.copy()


def beneath(faces: Faces, warp: Value, contrast: Value, light: Value) -> Value:
    """Return the planes after all edits but δ, (N, 3, SIZE, SIZE)."""
    return relit(faces, light, clearer(faces, contrast, warped(faces, warp)))


def warped(faces: Faces, u: Value) -> Value:
    """Return the planes sampled bilinearly at p + W · u."""
    moved = field(u, WarpEdit.knots) * faces["warp_window"]
    ramp = np.arange(SIZE, dtype=np.float32)
    x = (moved.part(1, 0, 1) + ramp).clip(0.0, SIZE - 1.001)
    y = (moved.part(1, 1, 2) + ramp[:, None]).clip(0.0, SIZE - 1.001)
    x0, y0 = x.op("Floor").fixed(), y.op("Floor").fixed()
    fx, fy = x - x0, y - y0
    first = (y0 * float(SIZE) + x0).shaped(1, SIZE * SIZE).op("Cast", to=_INT64).fixed()
    flat = faces["planes"].shaped(3, SIZE * SIZE)

    def beside(step: int) -> Value:
        index = first.graph.const(np.full((1, 3, 1), step), np.int64)
        there = first.op("Add", Value(first.graph, index))
        return flat.op("GatherElements", there, axis=2).shaped(3, SIZE, SIZE)

    a, b, c, d = (beside(step) for step in (0, 1, SIZE, SIZE + 1))
    upper, lower = a + fx * (b - a), c + fx * (d - c)
    return upper + fy * (lower - upper)


def shares(planes: Value) -> Value:
    """Return how a change of luma is shared out to the channels."""
    return (planes + _FOOT) / (luma(planes) + _FOOT).op("Max", 1.0)


def clearer(faces: Faces, m: Value, planes: Value) -> Value:
    """Return the planes with their bands stronger by m."""
    blurs = [gaussian(SIZE, sigma) for sigma in SIGMAS]
    stages = [luma(planes)]
    stages += [blur @ stages[0] @ blur.T.copy() for blur in blurs]
    bands = together([finer - coarser for finer, coarser in pairwise(stages)])
    gains = field(m, Contrast.knots) * faces["contrast_window"]
    return planes + shares(planes) * (gains * bands).sum(1)


def relit(faces: Faces, g: Value, planes: Value) -> Value:
    """Return the planes with the light on them changed by g."""
    exponent = field(g, Light.knots) * faces["light_window"] / float(GAMMA)
    return (planes + _FOOT) * exponent.op("Exp") - _FOOT


def change(faces: Faces, delta: Value) -> Value:
    """Return what δ adds to the luma, (N, 1, SIZE, SIZE)."""
    return faces["refine"] @ (delta * faces["delta_window"]) @ faces["refine"].turned


def with_delta(faces: Faces, delta: Value, planes: Value) -> Value:
    """Return the planes with δ."""
    return planes + shares(planes) * change(faces, delta)


def bounded(faces: Faces, moved: Mapping[str, Value]) -> dict[str, Value]:
    """Return parameters within their bounds, δ within ρ by estimate: `Retouch.bounded`."""
    u, limit = moved["warp"], faces["warp_limit"]
    length = (u * u).sum(1).op("Sqrt")
    held = {"warp": u * (limit / length.op("Max", limit))}
    for name in ("contrast", "light", "delta"):
        held[name] = moved[name].clip(-faces[f"{name}_limit"], faces[f"{name}_limit"])
    planes = beneath(faces, held["warp"], held["contrast"], held["light"])
    grey = luma(planes.clip(0.0, 255.0))
    cost = dssim(grey, (grey + change(faces, held["delta"])).clip(0.0, 255.0))
    room = (faces["rho"] / cost.op("Max", _TINY)).op("Sqrt")
    held["delta"] = held["delta"] * room.op("Min", 1.0)
    return held


def dssim(x: Value, y: Value) -> Value:
    """Return the DSSIM of (N, 1, SIZE, SIZE) pictures, (N, 1, 1, 1): `budget.Dssim`."""
    window = averaging(SIZE)

    def average(values: Value) -> Value:
        return window @ values @ window.T.copy()

    mx, my = average(x), average(y)
    product, squares = mx * my, mx * mx + my * my
    structure = 2.0 * (average(x * y) - product) + float(C2)
    spreads = average(x * x) + average(y * y) - squares + float(C2)
    ssim = (2.0 * product + float(C1)) * structure / ((squares + float(C1)) * spreads)
    return (1.0 - ssim).mean(1, 2, 3) * 0.5  # of small numbers, so that float32 will do
