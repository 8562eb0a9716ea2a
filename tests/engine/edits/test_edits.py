"""Each edit keeps its bound, its pullbacks are its adjoints, and PyTorch has the same slopes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.detection.landmarks import average_points
from photocloak.engine.edits.contrast import SIGMAS, Contrast
from photocloak.engine.edits.delta import Delta
from photocloak.engine.edits.edit import Edit
from photocloak.engine.edits.fields import spread
from photocloak.engine.edits.light import GAMMA, Light
from photocloak.engine.edits.tone import TOE
from photocloak.engine.edits.warp import EYES, WarpEdit
from photocloak.engine.edits.windows import face
from photocloak.engine.geometry import Separable, gaussian, resampling

WINDOW = face(average_points())


def _refine(grid: int) -> Separable:
    matrix = resampling(SIZE, grid, (grid - 1) / (SIZE - 1), 0.0)
    return Separable(matrix, matrix)


def _planes(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.uniform(30, 220, (3, 28, 28)).astype(np.float32)
    blur = gaussian(SIZE, 1.5)
    return Separable(blur, blur)(np.kron(coarse, np.ones((8, 8), np.float32)))


MAKERS: dict[str, Callable[[], Edit]] = {
    "warp": lambda: WarpEdit(WINDOW, 1.0),
    "contrast": lambda: Contrast(WINDOW, 20.0),
    "light": lambda: Light(WINDOW, 0.2),
    "delta": lambda: Delta(WINDOW[::2, ::2].copy(), _refine(112), 0.002, 24.0),
}


def _start(edit: Any) -> np.ndarray:
    rng = np.random.default_rng(0)
    start: np.ndarray = edit.start(rng) if edit.name == "delta" else edit.start()
    return start


def _drawn(edit: Edit, rng: np.random.Generator) -> np.ndarray:
    limit = getattr(edit, "limit", 5.0)
    drawn = rng.uniform(-1.5, 1.5, _start(edit).shape) * limit
    return edit.bounded(drawn.astype(np.float32))


def _linear(planes: np.ndarray) -> np.ndarray:
    """Return linear light for sRGB, 0..255 (IEC 61966-2-1), above its linear foot."""
    return np.asarray(((planes / 255 + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=5)
@given(seed=st.integers(0, 9999))
def test_pullbacks_are_the_slopes(name: str, seed: int) -> None:
    """⟨J v, g⟩ = ⟨v, Jᵀ g⟩, with J v by a central difference."""
    rng, edit = np.random.default_rng(seed), MAKERS[name]()
    planes, at = _planes(rng), _drawn(edit, rng)
    gradient = rng.normal(size=planes.shape).astype(np.float32)
    # Smooth directions and gradients: bilinear samples have kinks, which a difference steps over.
    blur = gaussian(SIZE, 3.0)
    gradient = Separable(blur, blur)(gradient)
    _, seen = edit.apply(at, planes)
    away = rng.normal(size=at.shape).astype(np.float32)
    step = 0.01 * getattr(edit, "limit", 5.0)
    there, back = (edit.apply(at + s * step * away, planes)[0] for s in (1, -1))
    left = float(np.vdot((there - back) / (2 * step), gradient))
    slope = edit.pullback(seen, gradient)
    right = float(np.vdot(away, slope))
    assert left == pytest.approx(right, abs=0.03 * float(np.linalg.norm(slope)))
    moved = rng.normal(size=planes.shape).astype(np.float32)
    there, back = (edit.apply(at, planes + s * moved)[0] for s in (1, -1))
    left = float(np.vdot((there - back) / 2, gradient))
    slope = edit.through(seen, gradient)
    right = float(np.vdot(moved, slope))
    assert left == pytest.approx(right, abs=1e-3 * float(np.linalg.norm(slope)))


@pytest.mark.parametrize("name", MAKERS)
def test_the_start_changes_next_to_nothing(name: str) -> None:
    edit = MAKERS[name]()
    planes = _planes(np.random.default_rng(1))
    changed, _ = edit.apply(_start(edit), planes)
    assert np.abs(changed - planes).max() < (4 if name == "delta" else 1e-3)


@pytest.mark.parametrize("name", ["contrast", "light", "delta"])
def test_colour_stays_and_nothing_changes_outside(name: str) -> None:
    edit, rng = MAKERS[name](), np.random.default_rng(2)
    planes = _planes(rng)
    changed = edit.apply(_drawn(edit, rng), planes)[0]
    change = changed - planes
    shares = [linear / linear.sum(axis=0) for linear in map(_linear, (planes, changed))]
    assert np.abs(shares[1] - shares[0]).max() < 2e-3, "as under another light"
    assert np.abs(change[:, WINDOW == 0]).max() < 0.5 * (name == "delta") + 1e-3


@pytest.mark.parametrize("name", ["warp", "contrast", "light"])
@settings(max_examples=10)
@given(seed=st.integers(0, 9999), wild=st.floats(1, 1e4))
def test_bounds_hold_for_the_whole_field(name: str, seed: int, wild: float) -> None:
    edit: Any = MAKERS[name]()
    rng = np.random.default_rng(seed)
    parameters = edit.bounded((wild * rng.normal(size=_start(edit).shape)).astype(np.float32))
    assert edit.amount(parameters) <= edit.bound * (1 + 1e-5)
    assert edit.amount(edit.bounded(np.full_like(parameters, 1e6))) > 0.7 * edit.bound


def test_fields_are_weighted_means_of_their_coefficients() -> None:
    ones = spread(17)(np.ones((1, 17, 17), np.float32))
    assert ones == pytest.approx(1.0, abs=1e-5)
    assert (spread(17).rows >= 0).all()


@pytest.mark.torch
@pytest.mark.parametrize("name", ["contrast", "light"])
def test_pytorch_has_the_same_slopes(name: str) -> None:
    """The same formulas, written once more in PyTorch, differentiated by it."""
    import torch

    rng, edit = np.random.default_rng(3), MAKERS[name]()
    planes, at = _planes(rng), _drawn(edit, rng)
    gradient = rng.normal(size=planes.shape).astype(np.float32)
    x = torch.from_numpy(planes).requires_grad_()
    p = torch.from_numpy(at).requires_grad_()
    rows = torch.from_numpy(spread(at.shape[-1]).rows)
    field = torch.einsum("hk,ckl,wl->chw", rows, p, rows) * torch.from_numpy(WINDOW)
    grey = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)
    if name == "light":
        y = (x + float(TOE)) * torch.exp(field[0] / float(GAMMA)) - float(TOE)
    else:
        y, finer = x, grey
        shares = (x + float(TOE)) / (grey + float(TOE))
        for gain, sigma in zip(field, SIGMAS, strict=True):
            blur = torch.from_numpy(gaussian(SIZE, sigma))
            coarser = blur @ grey @ blur.T
            y, finer = y + shares * gain * (finer - coarser), coarser
    y.backward(torch.from_numpy(gradient))
    changed, seen = edit.apply(at, planes)
    assert changed == pytest.approx(y.detach().numpy(), abs=1e-2)
    assert p.grad is not None
    assert x.grad is not None
    size = float(p.grad.abs().max())
    assert edit.pullback(seen, gradient) == pytest.approx(p.grad.numpy(), abs=1e-4 * size)
    assert edit.through(seen, gradient) == pytest.approx(x.grad.numpy(), abs=1e-3)


@pytest.mark.torch
def test_pytorch_warps_alike() -> None:
    import torch
    from torch.nn.functional import grid_sample

    rng, edit = np.random.default_rng(4), WarpEdit(WINDOW, 1.0)
    planes, at = _planes(rng), _drawn(edit, rng)
    gradient = rng.normal(size=planes.shape).astype(np.float32)
    x = torch.from_numpy(planes).requires_grad_()
    p = torch.from_numpy(at).requires_grad_()
    rows = torch.from_numpy(spread(17).rows)
    moved = torch.einsum("hk,ckl,wl->chw", rows, p, rows) * torch.from_numpy(WINDOW)
    ys, xs = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    at_pixels = torch.stack([xs + moved[0], ys + moved[1]], -1) / (SIZE - 1) * 2 - 1
    y = grid_sample(x[None], at_pixels[None], padding_mode="border", align_corners=True)[0]
    y.backward(torch.from_numpy(gradient))
    changed, seen = edit.apply(at, planes)
    assert changed == pytest.approx(y.detach().numpy(), abs=0.02)
    assert p.grad is not None
    assert x.grad is not None
    size = float(p.grad.abs().max())
    assert edit.pullback(seen, gradient) == pytest.approx(p.grad.numpy(), abs=5e-3 * size)
    assert edit.through(seen, gradient) == pytest.approx(x.grad.numpy(), abs=5e-3)


def test_the_warp_s_unit_is_the_distance_between_the_eyes() -> None:
    edit = WarpEdit(np.ones((SIZE, SIZE), np.float32), 2.0)
    u = edit.start()
    u[0] = edit.limit
    assert edit.amount(u) == pytest.approx(2.0)
    assert edit.limit == pytest.approx(0.02 * EYES)
    assert pytest.approx(70.5, abs=0.1) == EYES
