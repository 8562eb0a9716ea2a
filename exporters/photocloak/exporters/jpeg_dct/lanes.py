"""The walk over a sequential scan in many places at once.

A walk that begins anywhere soon falls into step with the one that begins at the start: Huffman
codes synchronise themselves (Weissenberger and Schmidt, ICPP 2018). Lanes begin every few bits at
a guess and walk up to where the next one begins, and on until they meet a block that another has
found, too: same bit, same place in the MCU, so the same from there on. The blocks on the way from
the start are then those of the serial walk. Where that does not work out, there is no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.bits import Positions

_PATIENCE = 4  # lengths of a lane up to which it may go on to meet another


@dataclass(frozen=True)
class Machine:
    """What a walk needs.

    Attributes:
        window: 24 bits from every byte on.
        dc: (T × 65536,) how far DC symbols reach.
        ac: (T × 65536,) steps of AC symbols, see `walk`.
        plan: (P,) which of the T tables each block of an MCU has.

    """

    window: NDArray[np.uint32]
    dc: NDArray[np.int64]
    ac: NDArray[np.int32]
    plan: NDArray[np.int64]

    def walk(self, keys: Positions, stops: Positions, known: Positions) -> "_Walked":
        """Walk from some blocks up to others.

        Args:
            keys: (L,) where to begin: bit × P + place in the MCU.
            stops: (L,) bit from which on a lane ends with the next block that begins.
            known: keys of blocks with which a lane ends, too; ascending.

        """
        size = len(self.plan)
        lane, phase = np.arange(len(keys)), keys % size
        p = self._into(keys // size, phase)
        k, table = np.ones(len(keys), np.int32), self.plan[phase] << 16
        idle = np.zeros(len(keys), bool)
        block = keys.copy()
        lanes, found, damaged = ([np.zeros(0, np.int64)] for _ in range(3))
        while len(lane):
            step = self.ac[table + self._ahead(p)]
            p += step & 31
            k += step >> 6
            done = np.flatnonzero(k >= 64)
            if not done.size:
                continue
            advanced = k[done]
            whole = (advanced == 64) | ((advanced > 128) & (advanced < 256)) | (step[done] & 32 > 0)
            phase[done] = next_phase = (phase[done] + 1) % size
            at = p[done]
            key = at * size + next_phase
            counts = ~idle[done]
            lanes.append(lane[done[counts]])
            found.append(key[counts])
            damaged.append(block[done[counts & ~whole]])
            block[done] = key
            ended = (at >= stops[done]) | _among(key, known)
            idle[done[ended]] = True
            at[ended] = 0  # until the idle are taken out, together
            p[done], k[done] = self._into(at, next_phase), 1
            table[done] = self.plan[next_phase] << 16
            if idle.sum() * 8 > len(idle):
                goes_on = ~idle
                lane, p, k, table = lane[goes_on], p[goes_on], k[goes_on], table[goes_on]
                phase, stops, idle = phase[goes_on], stops[goes_on], idle[goes_on]
                block = block[goes_on]
        which = np.concatenate(lanes)
        order = np.argsort(which, kind="stable")
        return _Walked(which[order], np.concatenate(found)[order], np.concatenate(damaged))

    def _ahead(self, p: Positions) -> NDArray[np.int64]:
        ahead: NDArray[np.int64] = self.window[p >> 3] >> (8 - (p & 7))
        return ahead & 0xFFFF

    def _into(self, p: Positions, phase: NDArray[np.int64]) -> Positions:
        """Return the bit behind the DC symbols of some blocks."""
        reach: Positions = self.dc[(self.plan[phase] << 16) + self._ahead(p)]
        return p + reach


@dataclass(frozen=True)
class _Walked:
    """What lanes found.

    Attributes:
        lane: (n,) the lane of each block that begins behind the first ones, its end included.
        key: (n,) the block, each lane's in order.
        damaged: blocks that are none: with a code that no table has, or more than 64 coefficients.

    """

    lane: NDArray[np.int64]
    key: Positions
    damaged: Positions

    @property
    def last(self) -> NDArray[np.int64]:
        """Index of the end of every lane."""
        return np.flatnonzero(np.diff(self.lane, append=-1))


def _among(keys: Positions, known: Positions) -> NDArray[np.bool_]:
    if not len(known):
        return np.zeros(len(keys), bool)
    return np.equal(known[np.minimum(np.searchsorted(known, keys), len(known) - 1)], keys)


def find_in_lanes(
    machine: Machine, intervals: Sequence[tuple[int, int, int]], length: int
) -> tuple[Positions, Positions] | None:
    """Return the first bit of every block, and the bit behind each interval; None: unknown.

    Args:
        machine: how to walk.
        intervals: first bit, bit behind and blocks of every restart interval.
        length: bits of a lane.

    """
    paths = _Paths(machine, intervals, length)
    starts, behind = [], []
    for start, end, blocks in intervals:
        keys = paths.follow(start, blocks + 1)
        if len(keys) <= blocks or keys[-1] >= (end + 1) * paths.size:
            return None
        starts.append(keys[:-1])
        behind.append(keys[-1])
    found = np.concatenate(starts)
    if _among(paths.damaged, found).any():
        return None
    return found // paths.size, np.array(behind) // paths.size


class _Paths:
    """Where the walks of all lanes lead.

    Attributes:
        size: places in an MCU.
        damaged: keys of blocks that are none.

    """

    def __init__(
        self, machine: Machine, intervals: Sequence[tuple[int, int, int]], length: int
    ) -> None:
        self.size = size = len(machine.plan)
        begins = [np.arange(start, max(end, start + 1), length) for start, end, _ in intervals]
        firsts = np.concatenate(begins)
        ends = np.repeat([end for _, end, _ in intervals], [len(one) for one in begins])
        stops = np.minimum(firsts + length, ends)
        walked = machine.walk(firsts * size, stops, np.zeros(0, np.int64))
        exits = walked.key[walked.last]
        known = np.sort(np.concatenate([firsts * size, np.delete(walked.key, walked.last)]))
        # further on, where a lane has not met another yet
        astray = np.flatnonzero((stops < ends) & ~_among(exits, known))
        patience = np.minimum(exits[astray] // size + _PATIENCE * length, ends[astray])
        further = machine.walk(exits[astray], patience, known)
        meets = exits.copy()
        meets[astray] = further.key[further.last]
        begins_at = np.searchsorted(further.lane, np.arange(len(astray)))
        self._tails = {
            one: np.append(exits[one], further.key[first:last])
            for one, first, last in zip(
                astray.tolist(), begins_at.tolist(), further.last.tolist(), strict=True
            )
        }
        self.damaged = np.concatenate([walked.damaged, further.damaged])
        self._known, self._meets = known, meets.tolist()
        self._behind = np.searchsorted(known, stops * size).tolist()
        found = np.where(_among(meets, known), np.searchsorted(known, meets), -1)
        self._goes_on = found.tolist()
        self._next = (np.searchsorted(firsts, meets // size, side="right") - 1).tolist()
        self._first = {key: i for i, key in enumerate(firsts.tolist())}

    def follow(self, start: int, count: int) -> Positions:
        """Return the keys of `count` blocks from a lane's first one on; fewer where it breaks."""
        lane = self._first[start]
        at = int(np.searchsorted(self._known, start * self.size))
        parts: list[Positions] = []
        while count > 0 and at >= 0:
            parts.append(self._known[at : self._behind[lane]][:count])
            count -= len(parts[-1])
            if lane in self._tails:
                parts.append(self._tails[lane][:count])
                count -= len(parts[-1])
            at, meets, lane = self._goes_on[lane], self._meets[lane], self._next[lane]
        if count == 1:  # the last lane ends behind the last block
            parts.append(np.array([meets]))
        return np.concatenate(parts)
