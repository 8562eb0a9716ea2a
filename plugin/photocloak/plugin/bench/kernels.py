"""Where a step's time goes, by ONNX Runtime's own profile of each node."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photocloak.engine.cloaker import Cloaker
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.landmarks import average_landmarks
from photocloak.engine.extractors import ExtractorSpec
from photocloak.engine.extractors.cache import ModelCache
from photocloak.engine.extractors.forward import forward_model
from photocloak.engine.extractors.onnx_extractor import OnnxExtractor
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.modes import load_mode
from photocloak.engine.optimisation.surrogates import TURNS
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.runtime import Device, session_from_file
from photocloak.engine.subject import Subject
from photocloak.engine.targets.library import TargetLibrary

if TYPE_CHECKING:
    import onnx

_CONVOLUTIONS = frozenset({"Conv", "FusedConv", "ConvTranspose"})


@dataclass(frozen=True)
class KernelShare:
    """Shares of an optimiser's step, 1 together.

    Attributes:
        convolution: kernels of convolutions.
        other: the other nodes' kernels.
        outside: ONNX Runtime between its nodes, and the optimiser's own arithmetic.
        nodes: the share of each kind of node, largest first.

    """

    convolution: float
    other: float
    outside: float
    nodes: Mapping[str, float]


def share_of_kernels(
    specs: Mapping[str, ExtractorSpec],
    library: TargetLibrary,
    image: Image,
    find: Callable[[Ensemble], Subject],
    *,
    turns: int,
    folder: Path,
) -> KernelShare:
    """Profile the steps of a cloak in which each recogniser has its turn, one after the other.

    Args:
        specs: the recognisers.
        library: for the centres of their features.
        image: the photo.
        find: gives the face to cloak.
        turns: how many of each recogniser, besides the first, which does not count.
        folder: for models and profiles.

    """
    cache = _Profiled(folder)
    ensemble = _InTurn(
        {
            name: OnnxExtractor(spec, _reader(spec), threads=1, device="cpu", cache=cache)
            for name, spec in specs.items()
        }
    )
    rounds = min(TURNS, len(specs))
    mode = replace(load_mode("balanced"), steps=rounds * (turns + 1))
    subject = replace(find(ensemble), mode=mode)
    ends: list[float] = []
    cloaker = Cloaker(ensemble, library.means, average_landmarks)
    cloaker(image, [subject], seed=0, on_step=lambda *_: ends.append(time.perf_counter()))
    nodes: dict[str, float] = {}
    for session in cache.steps:
        for kind, seconds in _nodes(Path(session.end_profiling()), turns):
            nodes[kind] = nodes.get(kind, 0.0) + seconds / (ends[-1] - ends[rounds - 1])
    convolution = sum(share for kind, share in nodes.items() if kind in _CONVOLUTIONS)
    other = sum(nodes.values()) - convolution
    ordered = dict(sorted(nodes.items(), key=lambda item: -item[1]))
    return KernelShare(convolution, other, 1 - convolution - other, ordered)


def _reader(spec: ExtractorSpec) -> "Callable[[], onnx.ModelProto]":
    return lambda: forward_model(read_model(spec.model, spec.sha256), spec)


class _InTurn(Ensemble):
    """An ensemble of one thread, so that shares of its time add up."""

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1)


class _Profiled(ModelCache):
    """Opens sessions that keep a profile; those of steps are remembered."""

    def __init__(self, folder: Path) -> None:
        super().__init__(None)
        self._place = folder
        self.steps: list[Any] = []

    def open(
        self, key: str, make: "Callable[[], onnx.ModelProto]", *, threads: int, device: Device
    ) -> Any:
        path = self._place / f"{key}.onnx"
        path.write_bytes(make().SerializeToString())
        profile = self._place / key if "-step-" in key else None
        session = session_from_file(path, threads=threads, device=device, profile=profile)
        if profile is not None:
            self.steps.append(session)
        return session


def _nodes(profile: Path, runs: int) -> list[tuple[str, float]]:
    """Return kind and seconds of every node in the last `runs` runs of a profile."""
    events = json.loads(profile.read_text("utf-8"))
    begins = sorted(one["ts"] for one in events if one["name"] == "model_run")
    nodes = (one for one in events if one["cat"] == "Node" and one["ts"] >= begins[-runs])
    return [
        (one["args"]["op_name"], one["dur"] / 1e6)
        for one in nodes
        if one["name"].endswith("_kernel_time")
    ]
