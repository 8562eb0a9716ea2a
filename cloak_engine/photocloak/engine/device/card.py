"""The searches of many faces side by side on one device, an NVIDIA card as a rule.

Of a step only the views' few numbers are copied there; what the searches come to is fetched at
their end, and held to its bounds by the same code as without a card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from photocloak.engine.binding import OnDevice, Place, put, run_on
from photocloak.engine.device import faces, program, views
from photocloak.engine.extractors import Objective
from photocloak.engine.extractors.onnx_extractor import OnnxExtractor
from photocloak.engine.optimisation.methods import Retouching
from photocloak.engine.optimisation.optimizers import fall
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.runtime import Device, has_cuda, open_session, starts_cuda

if TYPE_CHECKING:
    import onnx

GROUP = 32
"""Faces that take their steps together at most."""


@dataclass(frozen=True)
class _Turn:
    """The two graphs for the recognisers that are asked in the same step."""

    look: Any
    move: Any


class Card:
    """Takes the steps of searches, many faces at once. Any thread may call at any time.

    Args:
        extractors: by name, all on ONNX Runtime.
        place: where they run.

    """

    def __init__(self, extractors: Mapping[str, OnnxExtractor], place: Place) -> None:
        self._extractors, self._place = extractors, place
        self._turns: dict[tuple[str, ...], _Turn] = {}
        self._opening = Lock()

    @classmethod
    def of(cls, ensemble: Ensemble, device: Device) -> Card | None:
        """Return the card that an ensemble of this device runs on, None where there is none.

        Nor is there one for an ensemble of which some run on PyTorch.
        """
        extractors = {
            name: one for name, one in ensemble.extractors.items() if isinstance(one, OnnxExtractor)
        }
        whole = len(extractors) == len(ensemble.extractors)
        return cls(extractors, "cuda") if whole and has_cuda(device) and starts_cuda() else None

    def descend(self, searches: Sequence[Retouching], stepped: Callable[[], None]) -> None:
        """Do all the steps that the searches have left; `stepped` is called for each of each."""
        for batch in _batches(searches):
            self._descend(batch, stepped)

    def _descend(self, batch: Sequence[Retouching], stepped: Callable[[], None]) -> None:
        steps = batch[0].left
        known = self._laid(faces.fixed(batch))
        start = faces.parameters(batch)
        state = self._laid(start)
        still = {name: np.zeros_like(value) for name, value in start.items()}
        state |= self._laid({program.VELOCITY + name: value for name, value in still.items()})
        aims = {
            name: self._laid(_joined([one.surrogates.objectives[name] for one in batch]))
            for name in self._extractors
        }
        for step in range(steps):
            drawn = [one.surrogates.draw() for one in batch]
            names = tuple(drawn[0].cuts)
            share = np.full((len(batch), 1, 1, 1), fall((step + 1) / steps), np.float32)
            now = self._laid(
                {
                    program.DRAWN: np.stack([views.numbers(one, names) for one in drawn]),
                    program.SHARE: share,
                }
            )
            state = self._stepped(names, {**known, **now}, state, aims)
            for _ in batch:
                stepped()
        found = {name: state[name].numpy() for name in faces.PARAMETERS}
        for number, one in enumerate(batch):
            one.resume(faces.own(one, {name: value[number] for name, value in found.items()}))

    def _stepped(
        self,
        names: tuple[str, ...],
        known: Mapping[str, OnDevice],
        state: Mapping[str, OnDevice],
        aims: Mapping[str, Mapping[str, OnDevice]],
    ) -> dict[str, OnDevice]:
        """Return the state after one step; all of it stays where it is."""
        turn, values = self._turn(names), {**known, **state}
        outputs = [program.CHIPS + name for name in names]
        chips = run_on(turn.look, values, outputs, self._place)
        for name, one in zip(names, chips, strict=True):
            gradient = self._extractors[name].pull(one, aims[name], self._place)
            values[program.GRADIENT + name] = gradient
        after = [program.NEXT + name for name in program.STATE]
        return dict(
            zip(program.STATE, run_on(turn.move, values, after, self._place), strict=True)
        )

    def _laid(self, arrays: Mapping[str, np.ndarray]) -> dict[str, OnDevice]:
        return {name: put(array, self._place) for name, array in arrays.items()}

    def _turn(self, names: tuple[str, ...]) -> _Turn:
        """Return the graphs for some extractors, made when they are first asked."""
        with self._opening:
            if names not in self._turns:
                specs = [self._extractors[name].spec for name in names]
                self._turns[names] = _Turn(
                    self._opened(program.look(specs)), self._opened(program.move(specs))
                )
            return self._turns[names]

    def _opened(self, model: onnx.ModelProto) -> Any:
        device: Device = "cuda" if self._place == "cuda" else "cpu"
        return open_session(model, threads=0, device=device, exact=True)


def _batches(searches: Sequence[Retouching]) -> Iterator[list[Retouching]]:
    """Give searches that have equally many steps left, GROUP at most."""
    for left in sorted({one.left for one in searches} - {0}):
        alike = [one for one in searches if one.left == left]
        for start in range(0, len(alike), GROUP):
            yield alike[start : start + GROUP]


def _joined(aims: Sequence[Objective]) -> dict[str, np.ndarray]:
    """Return an extractor's objectives of several faces as one's."""
    first = aims[0]
    rows = {
        name: np.concatenate([getattr(one, name) for one in aims])
        for name in ("target", "toward", "own", "weights")
    }
    return Objective(centre=first.centre, margin=first.margin, **rows).feeds()
