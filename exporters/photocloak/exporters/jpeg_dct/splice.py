"""Baseline and extended files with some blocks replaced.

Where the file's Huffman tables have a code for every symbol, the bits of all other blocks are
copied, each to where it comes to lie: with no coefficient changed, the file comes out byte for
byte. Otherwise the scan is coded with the best tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers.segments import Segment
from photocloak.exporters.jpeg_dct.bits import Packer, Positions, Values
from photocloak.exporters.jpeg_dct.headers import Blocks, Headers, UnsupportedError
from photocloak.exporters.jpeg_dct.huffman import Table
from photocloak.exporters.jpeg_dct.prediction import differences
from photocloak.exporters.jpeg_dct.scans import best, dht, names_of, sos, with_intervals
from photocloak.exporters.jpeg_dct.sequential import OpenScan, open_scan
from photocloak.exporters.jpeg_dct.source import BlockEdit, Places
from photocloak.exporters.jpeg_dct.symbols import require
from photocloak.exporters.jpeg_dct.tokens import (
    SLICE,
    Tokens,
    ac_tokens,
    dc_tokens,
    join,
    occurrences,
)


class Sequential:
    """A baseline or extended file that is open for changes; see `Source`."""

    def __init__(self, headers: Headers) -> None:
        members = [member for scan in headers.scans for member in scan.members]
        if len(set(members)) < len(members):
            raise UnsupportedError("it holds a component twice")
        self._headers = headers
        self._scans = [open_scan(headers, scan) for scan in headers.scans]

    def read(self, component: int, rows: Places, columns: Places) -> Blocks:
        """Return (n, 64) coefficients of some blocks, zigzag; zeros where no scan has them."""
        result = np.zeros((len(rows), 64), np.int16)
        for one in self._scans:
            if component in one.scan.members:
                member = one.scan.members.index(component)
                present, places = one.order.find(member, rows, columns)
                result[present] = one.read(places)
        return result

    def write(self, edits: list[BlockEdit]) -> list[Segment]:
        """Return the DRI, DHT and SOS segments that hold the coefficients, with an edit each."""
        written = ((one.scan, _write(self._headers, one, edits)) for one in self._scans)
        return list(with_intervals(written))


def _write(headers: Headers, source: OpenScan, edits: list[BlockEdit]) -> list[Segment]:
    scan = source.scan
    own = require(scan.dc + scan.ac)
    revision = _revise(source, edits)
    tokens = list(revision.tokens(revision.affected))
    if all(_codable(tokens, i, table) for i, table in enumerate(own)):
        names, affected = names_of(own), revision.affected
    else:
        # luma has tables of its own, the rest share theirs: four are allowed, two in baseline
        names = [(kind, min(i, 1)) for kind in (0, 1) for i in range(len(scan.members))]
        affected = np.ones_like(revision.affected)
        tokens = list(revision.tokens(affected))
        own = best(tokens, names)
    coded = _coded(source, tokens, own, affected)
    numbers = [number for _, number in names]
    count = len(scan.members)
    pairs = list(zip(numbers[:count], numbers[count:], strict=True))
    return [dht(own, names), sos(headers, scan, pairs, coded)]


@dataclass(frozen=True)
class _Revision:
    """What becomes of a scan.

    Attributes:
        source: the scan.
        blocks: (n, 64) new coefficients.
        which: (N,) index of each block's new coefficients; −1: it keeps its own.
        sent: (N,) DC differences.
        affected: (N,) blocks whose bits are others: replaced ones, and those predicted from them.

    """

    source: OpenScan
    blocks: Blocks
    which: NDArray[np.int64]
    sent: NDArray[np.int32]
    affected: NDArray[np.bool_]

    def tokens(self, affected: NDArray[np.bool_]) -> Iterator[Tokens]:
        """Yield the tokens of some blocks, slice by slice."""
        for start in range(0, len(affected), SLICE):
            inner = np.flatnonzero(affected[start : start + SLICE])
            places = inner + start
            blocks = self.source.read(places)
            which = self.which[places]
            blocks[which >= 0] = self.blocks[which[which >= 0]]
            member = self.source.order.member[places]
            behind_dc = member + np.uint8(len(self.source.scan.members))
            yield join(
                dc_tokens(self.sent[places], member, inner),
                ac_tokens(blocks[:, 1:], behind_dc, inner),
            )


def _revise(source: OpenScan, edits: list[BlockEdit]) -> _Revision:
    order = source.order
    which = np.full(len(source.dc), -1, np.int64)
    blocks = np.zeros((0, 64), np.int16)
    for i, member in enumerate(source.scan.members):
        edit = edits[member]
        present, places = order.find(i, edit.rows, edit.columns)
        which[places] = len(blocks) + np.arange(len(places))
        blocks = np.concatenate([blocks, edit.blocks[present]])
    replaced = which >= 0
    dc = source.dc.copy()
    dc[replaced] = blocks[which[replaced], 0]
    sent = differences(order, dc)
    affected = replaced | (sent != differences(order, source.dc))
    return _Revision(source, blocks, which, sent, affected)


def _codable(tokens: list[Tokens], index: int, table: Table) -> bool:
    used = occurrences(tokens, index) > 0
    return bool((table.codes[1][used] > 0).all())


def _coded(
    source: OpenScan, tokens: list[Tokens], tables: list[Table], affected: NDArray[np.bool_]
) -> bytes:
    """Return the entropy-coded bytes: the affected blocks' tokens, and the others' bits."""
    packer = Packer()
    opens, closes = source.order.opens, source.order.closes
    for one, start in zip(tokens, range(0, len(affected), SLICE), strict=True):
        inside = slice(start, start + SLICE)
        first, values, lengths = _copied(source, inside, ~affected[inside], opens[inside])
        fresh_values, fresh_lengths = one.coded(tables)
        block = np.concatenate([first, one.block])
        order = np.argsort(block, kind="stable")
        packer.add(
            np.concatenate([values, fresh_values])[order],
            np.concatenate([lengths, fresh_lengths])[order],
            np.searchsorted(block[order], np.flatnonzero(closes[inside]), side="right"),
        )
    return packer.bytes()


def _copied(
    source: OpenScan, inside: slice, stays: NDArray[np.bool_], opens: NDArray[np.bool_]
) -> tuple[NDArray[np.uint16], Values, Positions]:
    """Return the bits of blocks that stay, 32 at a time, by the first block of a row of them."""
    before = np.append(False, stays[:-1]) & ~opens
    behind = np.append(stays[1:] & ~opens[1:], False)
    first, last = np.flatnonzero(stays & ~before), np.flatnonzero(stays & ~behind)
    starts, ends = source.starts[inside][first], source.behind[inside][last]
    many = -(-(ends - starts) // 32)
    inner = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    positions = np.repeat(starts, many) + 32 * inner
    lengths = np.minimum(np.repeat(ends, many) - positions, 32)
    values = source.bits.peek(positions) >> (32 - lengths).astype(np.uint64)
    return np.repeat(first, many).astype(np.uint16), values, lengths
