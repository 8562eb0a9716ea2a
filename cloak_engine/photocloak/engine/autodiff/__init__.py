"""Gradients without PyTorch: the backward pass of an ONNX graph as more ONNX nodes."""

from photocloak.engine.autodiff.backward import differentiate, rule
from photocloak.engine.autodiff.graph import (
    PREFIX,
    Graph,
    InvalidModelError,
    UnsupportedOperatorError,
)
from photocloak.engine.autodiff.loss import LOSSES
from photocloak.engine.autodiff.step import GRADIENT, StepGraph, step_graph

__all__ = [
    "GRADIENT",
    "LOSSES",
    "PREFIX",
    "Graph",
    "InvalidModelError",
    "StepGraph",
    "UnsupportedOperatorError",
    "differentiate",
    "rule",
    "step_graph",
]
