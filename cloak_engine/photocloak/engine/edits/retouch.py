"""All edits of one face, one after the other: warp, contrast, light, δ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from photocloak.engine.budget import Dssim
from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.edits.contrast import Contrast
from photocloak.engine.edits.delta import Delta
from photocloak.engine.edits.edit import Edit
from photocloak.engine.edits.fields import luma
from photocloak.engine.edits.light import Light
from photocloak.engine.edits.warp import WarpEdit
from photocloak.engine.edits.windows import care, face, headroom, held_edges, texture
from photocloak.engine.geometry import Array, Separable
from photocloak.engine.modes import Mode

EDITS = ("warp", "contrast", "light", "delta")
"""The edits' names in their order."""

LARGE = 90.0
"""Edge of the face space in photo pixels below which bounds grow: what is seen small hides more.

A face of 45 pixels has 15 from eye to eye; a mode's 1.5 per cent of these is a quarter of a pixel.
"""

MOST = 3.0
"""Factor by which they grow at most."""

Parameters = Mapping[str, Array]
"""Of each edit by its name: all that a cloak is."""


@dataclass(frozen=True)
class Beneath:
    """The picture that δ is added to.

    Attributes:
        planes: after warp, contrast and light, (3, SIZE, SIZE).
        seen: what each of these keeps for its pullbacks.

    """

    planes: Array
    seen: tuple[Any, ...]


@dataclass(frozen=True)
class Retouch:
    """What may be done to one face.

    Attributes:
        space: where it is.
        planes: the face as it is, (3, SIZE, SIZE) float32.
        warp, contrast, light, delta: the edits, in their order.

    """

    space: FaceSpace
    planes: Array
    warp: WarpEdit
    contrast: Contrast
    light: Light
    delta: Delta

    @classmethod
    def of(cls, image: Image, space: FaceSpace, points: Array, mode: Mode) -> "Retouch":
        """Prepare the edits of a face.

        Args:
            image: (H, W, 3) uint8, the photo.
            space: where the face is in it.
            points: (468, 2) its landmarks, see `photocloak.engine.detection.landmarks`.
            mode: the bounds.

        """
        planes = space.crop(image)
        rows = space.refine()
        refine = Separable(rows, rows)
        inside = space.inside(image.shape)
        window = face(points) * np.clip(refine(inside[None])[0], 0, 1)
        parts = {name: window * left for name, left in care(points).items()}
        for name in ("contrast", "light", "delta"):
            parts[name] *= headroom(planes)
        more = float(np.clip(LARGE / space.native, 1, MOST))
        on_grid = _shrunk(parts["delta"] * texture(planes, space.native), space.grid) * inside
        return cls(
            space,
            planes,
            WarpEdit(parts["warp"] * held_edges(space, image.shape), more * mode.warp),
            Contrast(parts["contrast"], more * mode.contrast),
            Light(parts["light"], more * mode.light),
            Delta(on_grid, refine, more * mode.rho, mode.linf),
        )

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits in their order."""
        return self.warp, self.contrast, self.light, self.delta

    def start(self, rng: np.random.Generator) -> dict[str, Array]:
        """Return parameters that change next to nothing."""
        return {
            "warp": self.warp.start(),
            "contrast": self.contrast.start(),
            "light": self.light.start(),
            "delta": self.delta.start(rng),
        }

    def beneath(self, parameters: Parameters) -> Beneath:
        """Return the planes after all edits but δ."""
        planes, seen = self.planes, []
        for edit in self.edits[:-1]:
            planes, memory = edit.apply(parameters[edit.name], planes)
            seen.append(memory)
        return Beneath(planes, tuple(seen))

    def apply(self, parameters: Parameters, beneath: Beneath) -> tuple[Array, tuple[Any, ...]]:
        """Return the planes after all edits, and what each saw; `beneath` is these parameters'."""
        planes, memory = self.delta.apply(parameters["delta"], beneath.planes)
        return planes, (*beneath.seen, memory)

    def pullback(self, seen: Sequence[Any], gradient: Array) -> dict[str, Array]:
        """Return each edit's gradient for that of the planes after all edits."""
        gradients = {}
        for edit, memory in zip(reversed(self.edits), reversed(seen), strict=True):
            gradients[edit.name] = edit.pullback(memory, gradient)
            if edit is not self.edits[0]:
                gradient = edit.through(memory, gradient)
        return gradients

    def bounded(self, parameters: Parameters) -> tuple[dict[str, Array], Beneath]:
        """Return the parameters with each edit within its bound, δ within ρ by estimate.

        Whoever applies them needs what they have δ added to, which is known here.
        """
        held = {edit.name: edit.bounded(parameters[edit.name]) for edit in self.edits}
        beneath = self.beneath(held)
        grey = luma(np.clip(beneath.planes, 0, 255))[None]
        held["delta"] = self.delta.shrunk(held["delta"], Dssim(grey), grey)
        return held, beneath

    def within(self, parameters: Parameters) -> tuple[dict[str, Array], dict[str, float]]:
        """Return the parameters with δ within ρ exactly, and what each edit comes to."""
        held = dict(parameters)
        held["delta"], dssim = self.delta.within(held["delta"], self.beneath(held).planes)
        amounts = {e.name: e.amount(held[e.name]) for e in (self.warp, self.contrast, self.light)}
        return held, {**amounts, "delta": dssim}

    def render(self, image: Image, parameters: Parameters) -> Image:
        """Return the photo with the edits made at its own resolution; nothing else changes."""
        out = image.copy()
        steps, planes = [], self.planes
        for edit in self.edits:
            steps.append((edit, planes))
            planes, _ = edit.apply(parameters[edit.name], planes)
        for canvas in Canvas.over(image, self.space):
            for edit, before in steps:
                edit.render(parameters[edit.name], before, canvas)
            x, y = canvas.low
            height, width = canvas.pixels.shape[:2]
            out[y : y + height, x : x + width] = np.clip(np.rint(canvas.pixels), 0, 255)
        return out


def _shrunk(plane: Array, grid: int) -> Array:
    """Return an (n, n) plane on δ's grid."""
    step = np.linspace(0, len(plane) - 1, grid)
    low = np.minimum(step.astype(int), len(plane) - 2)
    part = (step - low).astype(np.float32)
    rows = plane[low] * (1 - part)[:, None] + plane[low + 1] * part[:, None]
    return np.asarray(rows[:, low] * (1 - part) + rows[:, low + 1] * part, np.float32)
