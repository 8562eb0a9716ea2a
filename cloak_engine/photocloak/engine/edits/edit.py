"""What an edit is: a change of a face that has parameters, a bound, a slope and two resolutions."""

from typing import Any, Protocol

from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.geometry import Array


class Edit(Protocol):
    """One kind of change of one face.

    The face space is (3, SIZE, SIZE) float32 planes, RGB, 0..255, not clipped.
    """

    @property
    def name(self) -> str:
        """As in `manifests/modes.toml`."""
        ...

    def bounded(self, parameters: Array, /) -> Array:
        """Return the nearest parameters within the bound."""
        ...

    def apply(self, parameters: Array, planes: Array, /) -> tuple[Array, Any]:
        """Return the changed planes, and what the pullbacks need to know of them."""
        ...

    def pullback(self, seen: Any, gradient: Array, /) -> Array:
        """Return the gradient with respect to the parameters for that of the changed planes."""
        ...

    def through(self, seen: Any, gradient: Array, /) -> Array:
        """Return the gradient with respect to the planes for that of the changed planes."""
        ...

    def render(self, parameters: Array, planes: Array, canvas: Canvas, /) -> None:
        """Do to the photo what `apply` does to its planes, at the photo's own resolution."""
        ...
