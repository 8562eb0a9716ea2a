"""The descents as formulas: `optimisation.optimizers` says why they are as they are."""

from __future__ import annotations

from photocloak.engine.device.edits import Faces
from photocloak.engine.device.value import Value
from photocloak.engine.optimisation.optimizers import BudgetDescent, FieldDescent

_TINY = 1e-12


def field_step(gradient: Value, velocity: Value, limit: Value, share: Value) -> tuple[Value, Value]:
    """Return a smooth field's step and new velocity; `share` is left of its first step's length."""
    rms = (gradient * gradient).mean(1, 2, 3).op("Sqrt").op("Max", _TINY)
    velocity = velocity * FieldDescent.MOMENTUM + gradient / rms
    return velocity * limit * share * -FieldDescent.SHARE, velocity


def budget_step(
    gradient: Value, velocity: Value, faces: Faces, share: Value
) -> tuple[Value, Value]:
    """Return δ's step and new velocity; beyond a face's grid both stay 0."""

    def rms(values: Value) -> Value:
        mean = (values * values).sum(1, 2, 3) * faces["per_point"]
        return mean.op("Sqrt").op("Max", _TINY)

    way = gradient * faces["texture"]
    coarse = [faces[name] for name in COARSE]
    blurred = [one @ way @ one.turned for one in coarse]
    total = blurred[0]
    for one in blurred[1:]:
        total = total + one
    way = (way + total * BudgetDescent.COARSE) * faces["texture"]
    velocity = velocity * BudgetDescent.MOMENTUM + way / rms(way)
    return velocity * faces["rate"] * share / rms(velocity) * -1.0, velocity


COARSE = tuple(f"coarse_{number}" for number in range(len(BudgetDescent.SIGMAS)))
"""The matrices of K, by name."""
