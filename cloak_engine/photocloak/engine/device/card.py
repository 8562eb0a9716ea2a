"""The searches of many faces side by side on one device, an NVIDIA card as a rule.

What they begin with is copied there, and the few numbers that views are made of; then nothing is
copied until what the searches came to is fetched, and held to its bounds by the same code as
without a card.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from photocloak.engine.binding import OnDevice, Place, put, run_on
from photocloak.engine.device import faces, program, views
from photocloak.engine.extractors import Objective
from photocloak.engine.extractors.onnx_extractor import OnnxExtractor
from photocloak.engine.geometry import Array
from photocloak.engine.optimisation.methods import Retouching
from photocloak.engine.optimisation.optimizers import fall
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.runtime import Device, has_cuda, open_session, starts_cuda

if TYPE_CHECKING:
    import onnx

_LOG = logging.getLogger(__name__)

_UNABLE = (
    "The card cannot take a face's steps, which the processor does instead, slower: %s. "
    'Photos come out as well; `device = "cpu"` in settings.toml silences this.'
)

GROUP = 32
"""Faces that take their steps together at most."""


@dataclass(frozen=True)
class _Drawn:
    """Which extractors a step asks, and its inputs to the graphs, (N, …) each."""

    names: tuple[str, ...]
    arrays: Mapping[str, Array]

    def of(self, part: slice) -> _Drawn:
        """Return this for some of the faces."""
        return _Drawn(self.names, {name: one[part] for name, one in self.arrays.items()})


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
        """Do the steps that the searches have left; `stepped` is called for each of each.

        A search that the device cannot take even alone keeps its steps, and a warning is logged.
        """
        for batch in _batches(searches):
            self._descend(batch, _drawn(batch), stepped)

    def _descend(
        self, batch: Sequence[Retouching], drawn: Sequence[_Drawn], stepped: Callable[[], None]
    ) -> None:
        """Do the steps of a batch, by halves where the device is too small for it."""
        values = self._laid(_beginning(batch))
        aims = {
            name: self._laid(_joined([one.surrogates.objectives[name] for one in batch]))
            for name in self._extractors
        }
        plan = [(one.names, self._laid(one.arrays)) for one in drawn]
        for number, (names, now) in enumerate(plan):
            try:
                values |= self._stepped(names, values | now, aims)
            except Exception as error:  # ONNX Runtime's errors share no other base
                if number:
                    raise
                if len(batch) == 1:
                    _LOG.warning(_UNABLE, error)
                    return
                _LOG.info("%d faces at once are too many: %s", len(batch), error)
                break
            for _ in batch:
                stepped()
        else:
            found = {name: values[name].numpy() for name in faces.PARAMETERS}
            for number, one in enumerate(batch):
                row = {name: value[number] for name, value in found.items()}
                one.arrive(faces.own(one, row))
            return
        del values, aims, plan
        half = len(batch) // 2
        for part in (slice(half), slice(half, None)):
            self._descend(batch[part], [one.of(part) for one in drawn], stepped)

    def _stepped(
        self,
        names: tuple[str, ...],
        values: dict[str, OnDevice],
        aims: Mapping[str, Mapping[str, OnDevice]],
    ) -> dict[str, OnDevice]:
        """Return parameters and velocities after one step; all of it stays where it is."""
        turn = self._turn(names)
        outputs = [program.CHIPS + name for name in names]
        chips = run_on(turn.look, values, outputs, self._place)
        for name, one in zip(names, chips, strict=True):
            gradient = self._extractors[name].pull(one, aims[name], self._place)
            values[program.GRADIENT + name] = gradient
        after = [program.NEXT + name for name in program.STATE]
        return dict(zip(program.STATE, run_on(turn.move, values, after, self._place), strict=True))

    def _laid(self, arrays: Mapping[str, Array]) -> dict[str, OnDevice]:
        return {name: put(array, self._place) for name, array in arrays.items()}

    def _turn(self, names: tuple[str, ...]) -> _Turn:
        """Return the graphs for some extractors, made when they are first asked."""
        with self._opening:
            if names not in self._turns:
                specs = [self._extractors[name].spec for name in names]
                self._turns[names] = _Turn(
                    self.opened(program.look(specs)), self.opened(program.move(specs))
                )
            return self._turns[names]

    def opened(self, model: onnx.ModelProto) -> Any:
        """Open one of the two graphs; measurements do it with a profile."""
        device: Device = "cuda" if self._place == "cuda" else "cpu"
        return open_session(model, threads=0, device=device, exact=True)


def _batches(searches: Sequence[Retouching]) -> Iterator[list[Retouching]]:
    """Give searches that have equally many steps left, GROUP at most."""
    for left in sorted({one.left for one in searches} - {0}):
        alike = [one for one in searches if one.left == left]
        for start in range(0, len(alike), GROUP):
            yield alike[start : start + GROUP]


def _drawn(batch: Sequence[Retouching]) -> list[_Drawn]:
    """Return what all steps of a batch look at."""
    steps, found = batch[0].left, []
    for step in range(steps):
        drawn = [one.surrogates.draw() for one in batch]
        names = tuple(drawn[0].cuts)
        numbers = np.stack([views.numbers(one, names) for one in drawn])
        share = np.full((len(batch), 1, 1, 1), fall((step + 1) / steps), np.float32)
        found.append(_Drawn(names, {program.DRAWN: numbers, program.SHARE: share}))
    return found


def _beginning(batch: Sequence[Retouching]) -> dict[str, Array]:
    """Return what steps begin with: the faces, their parameters, and velocities of 0."""
    start = faces.parameters(batch)
    still = {program.VELOCITY + name: np.zeros_like(value) for name, value in start.items()}
    return {**faces.fixed(batch), **start, **still}


def _joined(aims: Sequence[Objective]) -> dict[str, Array]:
    """Return an extractor's objectives of several faces as one's."""
    first = aims[0]
    rows = {
        name: np.concatenate([getattr(one, name) for one in aims])
        for name in ("target", "toward", "own", "weights")
    }
    return Objective(centre=first.centre, margin=first.margin, **rows).feeds()
