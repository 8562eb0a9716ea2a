"""A step and a look of each recogniser, beside the same graph in PyTorch and a matrix product."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from photocloak.engine.autodiff.flops import flops
from photocloak.engine.autodiff.prepare import simplified
from photocloak.engine.autodiff.step import step_graph
from photocloak.engine.extractors import Extractor, ExtractorSpec, Objective, load_extractor
from photocloak.engine.extractors.forward import CHIPS, EMBEDDING, forward_model
from photocloak.engine.extractors.weights import read_model
from photocloak.plugin.bench.machine import has_torch, product
from photocloak.plugin.bench.timing import in_turns
from photocloak.plugin.storage.folders import models_folder

if TYPE_CHECKING:
    import onnx

LAYOUTS = ("contiguous", "channels last")
"""How PyTorch may keep images; the faster one counts, model by model."""


@dataclass(frozen=True)
class StepTimes:
    """Seconds by extractor, one face, all measured in turns with the same number of threads.

    With one thread they are the processor's, which others on the machine hardly change.

    Attributes:
        threads: of each run.
        step: losses, features and gradient, on ONNX Runtime.
        forward: features alone.
        torch: a step in eager PyTorch, in the faster of its layouts; None without PyTorch.
        operations: 10⁹ additions and multiplications of a step's convolutions and products.
        peak: 10⁹ of them a second in a large matrix product.

    """

    threads: int
    step: Mapping[str, float]
    forward: Mapping[str, float]
    torch: Mapping[str, float] | None
    operations: Mapping[str, float]
    peak: float

    @property
    def step_over_forward(self) -> float:
        """How many looks of the ensemble a step of it costs."""
        return sum(self.step.values()) / sum(self.forward.values())

    @property
    def onnx_vs_torch(self) -> float | None:
        """How many times as fast as PyTorch a step of the ensemble is."""
        return None if self.torch is None else sum(self.torch.values()) / sum(self.step.values())

    @property
    def peak_fraction(self) -> float:
        """The share of the machine's peak at which a step of the ensemble calculates."""
        return sum(self.operations.values()) / sum(self.step.values()) / self.peak


def time_steps(specs: Mapping[str, ExtractorSpec], *, threads: int, repeats: int) -> StepTimes:
    """Measure; the models are those of the cache that every run uses."""
    calls: dict[tuple[str, str], Callable[[], object]] = {}
    operations = {}
    for name, spec in specs.items():
        calls[name, "step"], calls[name, "forward"] = calls_of(ours(spec, threads))
        if has_torch():
            for layout in LAYOUTS:
                calls[name, layout], _ = calls_of(in_torch(spec, threads, layout))
        graph = step_graph(_model(spec), CHIPS, EMBEDDING).step()
        operations[name] = flops(graph) / 1e9
    multiply, giga = product(threads)
    calls["", "product"] = multiply
    clock = time.process_time if threads == 1 else time.perf_counter
    times = in_turns(calls, repeats, clock=clock)
    torch = (
        {name: min(times[name, one] for one in LAYOUTS) for name in specs} if has_torch() else None
    )
    return StepTimes(
        threads,
        {name: times[name, "step"] for name in specs},
        {name: times[name, "forward"] for name in specs},
        torch,
        operations,
        giga / times["", "product"],
    )


def ours(spec: ExtractorSpec, threads: int) -> Extractor:
    """Return the recogniser as a cloak runs it."""
    return load_extractor(spec, threads=threads, cache=models_folder())


def calls_of(extractor: Extractor) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return a step and a look at one made-up chip."""
    spec, rng = extractor.spec, np.random.default_rng(0)
    chips = rng.uniform(0, 255, (1, 3, spec.size, spec.size)).astype(np.float32)
    directions = rng.standard_normal((4, 1, spec.embedding)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    centre, target, toward, own = directions
    weights = np.array([[0, 1, 3]], np.float32)
    goal = Objective(centre[0], target, toward, own, weights, margin=-1.0)
    return partial(extractor.step, chips, goal), partial(extractor.embed, chips)


def in_torch(spec: ExtractorSpec, threads: int, layout: str) -> Extractor:
    """Return the recogniser in PyTorch, its constants and normalisations folded as ONNX's are."""
    from photocloak.engine.extractors.torch_extractor import TorchExtractor

    graph = simplified(_model(spec))
    last = layout == "channels last"
    return TorchExtractor(spec, graph, threads=threads, device="cpu", channels_last=last)


def _model(spec: ExtractorSpec) -> "onnx.ModelProto":
    return forward_model(read_model(spec.model, spec.sha256), spec)
