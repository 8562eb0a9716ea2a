"""The derivative of every supported operator; importing this package fills the table."""

from photocloak.engine.autodiff.rules import (
    convolution,
    elementwise,
    linear,
    pooling,
    reduction,
    shape,
)

__all__ = ["convolution", "elementwise", "linear", "pooling", "reduction", "shape"]
