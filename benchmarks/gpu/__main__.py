"""`sh benchmarks/gpu/run`: faces a second by batch, against PyTorch, and whether cloaks agree."""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu import agreement, ours, whole
from photocloak.engine.autodiff.flops import flops
from photocloak.engine.extractors import ExtractorSpec
from photocloak.engine.modes import load_mode
from photocloak.engine.optimisation.surrogates import TURNS
from photocloak.engine.runtime import session_from_file
from photocloak.plugin import Folders
from photocloak.plugin.assembly import specs
from photocloak.plugin.bench.machine import has_torch
from photocloak.plugin.bench.timing import in_turns

BATCHES = (1, 8, 32)
REPEATS = 15
WHOLE_REPEATS = 3


def main(arguments: list[str]) -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="+", default=None, help="some of the recognisers")
    parser.add_argument("--steps", type=int, default=None, help="of whole cloaks; else the mode's")
    parser.add_argument("--edge", type=int, default=4096, help="of the matrices for the peak")
    given = parser.parse_args(arguments)
    found = specs(Folders.of_user())
    chosen = {name: one for name, one in found.items() if given.only is None or name in given.only}
    result = measured(chosen, given.batches, repeats=given.repeats, edge=given.edge)
    result["whole"] = whole.measured(
        chosen, given.batches, repeats=min(given.repeats, WHOLE_REPEATS), steps=given.steps
    )
    result["agreement"] = agreement.compare()
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


def measured(
    found: Mapping[str, ExtractorSpec], batches: list[int], *, repeats: int, edge: int
) -> dict[str, Any]:
    """Return the figures of the recognisers together, by batch.

    Faces a second are those of the recognisers' part of a cloak: each is asked in every `TURNS`-th
    of the mode's steps. All that is compared takes turns.
    """
    device = whole.place_here()
    rounds = load_mode("balanced").steps / TURNS
    result: dict[str, Any] = {"device": device, "batches": []}
    with tempfile.TemporaryDirectory(prefix="photocloak-gpu-") as name:
        folder = Path(name)
        models = {key: ours.step_model(spec, folder) for key, spec in found.items()}
        sessions = {
            key: session_from_file(path, threads=0, device="auto") for key, path in models.items()
        }
        operations = sum(_operations(path) for path in models.values())
        places: Counter[str] = Counter()
        for key, path in models.items():
            places += ours.placement(path, found[key], "auto", folder)
        result["nodes"] = dict(places)
        for batch in batches:
            calls: dict[tuple[str, str], Callable[[], object]] = {}
            for key, spec in found.items():
                calls["photocloak", key] = ours.bound_step(sessions[key], spec, batch, device)
            calls |= _torch_calls(found, batch, device, edge, result)
            times = in_turns(calls, repeats)
            sums: dict[str, float] = {}
            for (kind, _), seconds in times.items():
                sums[kind] = sums.get(kind, 0.0) + seconds
            peak_time = sums.pop("peak", None)
            row: dict[str, Any] = {"batch": batch}
            row["faces_per_second"] = {k: round(batch / (rounds * s), 2) for k, s in sums.items()}
            if peak_time is not None:
                giga = 2 * edge**3 / 1e9 / peak_time
                row["share_of_peak"] = round(operations * batch / sums["photocloak"] / giga, 3)
            result["batches"].append(row)
    return result


def _operations(path: Path) -> float:
    import onnx

    return flops(onnx.load(path)) / 1e9


def _torch_calls(
    found: Mapping[str, ExtractorSpec], batch: int, device: str, edge: int, result: dict[str, Any]
) -> dict[tuple[str, str], Callable[[], object]]:
    """Return PyTorch's steps; what does not compile is named in the result and left out."""
    if not has_torch():
        result["torch"] = "not installed"
        return {}
    from benchmarks.gpu import theirs

    calls: dict[tuple[str, str], Callable[[], object]] = {}
    for key, spec in found.items():
        calls["torch eager", key] = theirs.torch_step(spec, batch, device, compiled=False)
    compiled = {}
    try:
        for key, spec in found.items():
            compiled["torch.compile", key] = theirs.torch_step(spec, batch, device, compiled=True)
            compiled["torch.compile", key]()
        calls |= compiled
    except Exception as error:  # a compiler that is missing, or an operator it cannot take
        result["torch.compile"] = f"{type(error).__name__}: {error}"[:300]
    calls["peak", ""], _ = theirs.peak(device, edge)
    return calls


if __name__ == "__main__":
    main(sys.argv[1:])
