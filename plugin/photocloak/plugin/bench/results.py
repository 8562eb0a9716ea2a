"""What a run of the bench came to: one object for programs, one table for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from photocloak.plugin.bench.kernels import KernelShare
from photocloak.plugin.bench.machine import Machine
from photocloak.plugin.bench.reference import Reference
from photocloak.plugin.bench.steps import StepTimes
from photocloak.plugin.bench.whole import STAGES, PhotoTime, Start


@dataclass(frozen=True)
class Results:
    """All figures of one run.

    Attributes:
        machine: before the run.
        load: average of the last minute, after the run.
        repeats: of which medians were taken.
        mode: of the whole photos.
        steps: of the recognisers.
        kernels: where a step's time goes.
        photos: whole photos; the first one's seconds a face count.
        start: of the process.
        reference: what is compared with.

    """

    machine: Machine
    load: float
    repeats: int
    mode: str
    steps: StepTimes
    kernels: KernelShare
    photos: list[PhotoTime]
    start: Start
    reference: Reference

    def after(self, load: float) -> "Results":
        """Return these figures with the load at their end."""
        return replace(self, load=round(load, 2))

    @property
    def seconds_per_face(self) -> float:
        """From a file to a verified file, a face of the first kind of photo."""
        return self.photos[0].seconds / self.photos[0].size.faces

    @property
    def reference_seconds(self) -> float:
        """What the published recipe costs for a face on this machine."""
        return self.reference.seconds(self.steps.torch, peak=self.steps.peak)

    def as_json(self) -> dict[str, Any]:
        """Return the figures as they stand in `--json`."""
        steps, kernels = self.steps, self.kernels
        vs_torch = steps.onnx_vs_torch
        return {
            "machine": vars(self.machine) | {"load_after": self.load},
            "repeats": self.repeats,
            "mode": self.mode,
            "threads": steps.threads,
            "step_ms": _ms(steps.step),
            "forward_ms": _ms(steps.forward),
            "torch_step_ms": None if steps.torch is None else _ms(steps.torch),
            "onnx_vs_torch": None if vs_torch is None else round(vs_torch, 2),
            "step_over_forward": round(steps.step_over_forward, 2),
            "kernel_share": {
                "convolution": round(kernels.convolution, 3),
                "other": round(kernels.other, 3),
                "outside": round(kernels.outside, 3),
            },
            "peak_gflops": round(steps.peak, 1),
            "peak_fraction": round(steps.peak_fraction, 3),
            "cold_start_s": round(self.start.first_step, 2),
            "first_start_s": round(self.start.first_ever, 2),
            "seconds_per_face": round(self.seconds_per_face, 2),
            "reference_seconds_per_face": round(self.reference_seconds, 1),
            "reference_speedup": round(self.reference_seconds / self.seconds_per_face, 1),
            "reference_measured": steps.torch is not None,
            "reference": vars(self.reference),
            "peak_memory_mb": round(self.start.peak),
            "photos": [
                {
                    "megapixels": one.size.megapixels,
                    "faces": one.size.faces,
                    "seconds": round(one.seconds, 2),
                    "per_minute": round(one.per_minute, 1),
                    "stages": {name: round(spent, 3) for name, spent in one.stages.items()},
                }
                for one in self.photos
            ],
        }

    def lines(self) -> Iterator[str]:
        """Say it to people."""
        machine, steps, kernels = self.machine, self.steps, self.kernels
        yield f"{machine.processor}, {machine.cores} cores, load {machine.load} to {self.load:.2f}"
        yield f"medians of {self.repeats}; {steps.threads} threads a recogniser, mode {self.mode}"
        yield ""
        yield f"{'milliseconds':14}{'step':>8}{'forward':>9}{'PyTorch':>9}"
        for name, seconds in steps.step.items():
            torch = "" if steps.torch is None else f"{1000 * steps.torch[name]:9.1f}"
            yield f"{name:14}{1000 * seconds:8.1f}{1000 * steps.forward[name]:9.1f}{torch}"
        totals = f"{1000 * sum(steps.step.values()):8.1f}{1000 * sum(steps.forward.values()):9.1f}"
        torch = "" if steps.torch is None else f"{1000 * sum(steps.torch.values()):9.1f}"
        yield f"{'together':14}{totals}{torch}"
        yield ""
        if steps.onnx_vs_torch is not None:
            yield f"step against PyTorch      {steps.onnx_vs_torch:.2f} times as fast"
        yield f"step over forward         {steps.step_over_forward:.2f}"
        yield (
            f"where a step goes         convolution {kernels.convolution:.0%}, other kernels "
            f"{kernels.other:.0%}, outside {kernels.outside:.0%}"
        )
        yield f"of the machine's peak     {steps.peak_fraction:.0%} of {steps.peak:.0f} GFLOP/s"
        yield (
            f"start to the first step   {self.start.first_step:.2f} s "
            f"(the first time ever {self.start.first_ever:.2f} s)"
        )
        yield f"a face, all included      {self.seconds_per_face:.2f} s"
        yield (
            f"the published recipe      {self.reference_seconds:.0f} s a face, "
            f"{self.reference_seconds / self.seconds_per_face:.0f} times as much"
            f"{'' if steps.torch else ' (by the peak: no PyTorch here)'}"
        )
        yield f"memory, largest photo     {self.start.peak:.0f} MB"
        yield ""
        yield f"{'megapixels':>10}{'faces':>7}{'seconds':>9}{'a minute':>10}"
        for one in self.photos:
            yield (
                f"{one.size.megapixels:10g}{one.size.faces:7}{one.seconds:9.2f}"
                f"{one.per_minute:10.1f}"
            )
        yield ""
        kinds = [f"{one.size.megapixels:g}×{one.size.faces}" for one in self.photos]
        yield f"{'seconds':10}" + "".join(f"{kind:>14}" for kind in kinds)
        for name in STAGES:
            spent = [(one.stages[name], one.stages[name] / one.seconds) for one in self.photos]
            yield f"{name:10}" + "".join(f"{took:8.2f} {share:5.0%}" for took, share in spent)


def _ms(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(1000 * value, 2) for name, value in seconds.items()}
