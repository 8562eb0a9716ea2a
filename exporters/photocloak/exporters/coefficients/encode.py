"""From coefficients to entropy-coded bytes (T.81 annexes F and G), all in NumPy.

A sequential file keeps its scans and, where they have a code for every symbol, its Huffman
tables: with no coefficient changed it comes out byte for byte as it was. A progressive file gets
a plain progression (DC, then bands) with the best tables; its coefficients are as exact.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.bits import Positions, Values, pack
from photocloak.exporters.coefficients.huffman import Table, optimal
from photocloak.exporters.coefficients.layout import Blocks, Layout, Scan
from photocloak.exporters.coefficients.order import Order, order_of
from photocloak.exporters.containers.segments import DHT, DRI, SOS, Segment

_LONGEST_RUN = 0x7FFF
_ZRL, _EOB = 0xF0, 0


@dataclass(frozen=True)
class _Tokens:
    """Symbols with the bits behind them, in the order they are written.

    Attributes:
        symbol: (N,) Huffman symbol.
        table: (N,) index of its table.
        extra: (N,) bits behind the symbol.
        size: (N,) how many.
        breaks: index of the first token of every restart interval.

    """

    symbol: NDArray[np.int64]
    table: NDArray[np.int64]
    extra: NDArray[np.int64]
    size: NDArray[np.int64]
    breaks: Positions


def write_scans(layout: Layout, blocks: list[Blocks]) -> list[Segment]:
    """Return the DRI, DHT and SOS segments that hold the coefficients."""
    result: list[Segment] = []
    interval = 0
    write = _progressive if layout.progressive else _sequential
    for scan in _progression(layout) if layout.progressive else layout.scans:
        if scan.interval != interval:
            interval = scan.interval
            result.append(Segment(DRI, struct.pack(">H", interval)))
        result += write(layout, scan, blocks)
    return result


def _sequential(layout: Layout, scan: Scan, blocks: list[Blocks]) -> list[Segment]:
    order = order_of(layout, scan.members, scan.interval)
    coefficients = _gather(order, scan.members, blocks)
    tokens = _join(
        _dc_tokens(coefficients[:, 0], order),
        _ac_tokens(coefficients, order, (1, 63), runs=False),
        order,
        tables=len(scan.members),
    )
    own = [table for table in (*scan.dc, *scan.ac) if table is not None]
    names = [(kind, i) for kind in (0, 1) for i in range(len(scan.members))]
    if len(own) == len(names) and _codable(tokens, own):
        return [_dht(_selectors(own, scan)), _sos(layout, scan, own, tokens, _numbers(own, scan))]
    # luma has tables of its own, the rest share theirs: four are allowed, two in baseline
    shared = [(kind, min(i, 1)) for kind, i in names]
    fresh = _best(tokens, shared)
    tables = [fresh[one] for one in shared]
    return [
        _dht([(kind, number, fresh[kind, number]) for kind, number in sorted(fresh)]),
        _sos(layout, scan, tables, tokens, [(shared[i][1], shared[i][1]) for i in _firsts(scan)]),
    ]


def _firsts(scan: Scan) -> range:
    return range(len(scan.members))


def _numbers(own: list[Table], scan: Scan) -> list[tuple[int, int]]:
    """Number the file's own tables by first use; equal ones share a number."""
    count = len(scan.members)
    dc, ac = _ranks(own[:count]), _ranks(own[count:])
    return list(zip(dc, ac, strict=True))


def _ranks(tables: list[Table]) -> list[int]:
    seen: list[Table] = []
    ranks = []
    for table in tables:
        if table not in seen:
            seen.append(table)
        ranks.append(seen.index(table))
    return ranks


def _selectors(own: list[Table], scan: Scan) -> list[tuple[int, int, Table]]:
    count = len(scan.members)
    numbered = [(0, n, t) for n, t in zip(_ranks(own[:count]), own[:count], strict=True)]
    numbered += [(1, n, t) for n, t in zip(_ranks(own[count:]), own[count:], strict=True)]
    return list({(kind, n): (kind, n, t) for kind, n, t in numbered}.values())


def _progression(layout: Layout) -> list[Scan]:
    """Return scans: DC of all, then luma's low band, the other components, luma's rest."""
    intervals = {scan.members: scan.interval for scan in reversed(layout.scans)}
    everything = tuple(range(len(layout.components)))

    def scan(members: tuple[int, ...], first: int, last: int) -> Scan:
        none = (None,) * len(members)
        interval = intervals.get(members, layout.scans[0].interval)
        return Scan(members, none, none, (first, last), 0, 0, interval, b"")

    if len(everything) == 1:
        return [scan((0,), 0, 0), scan((0,), 1, 5), scan((0,), 6, 63)]
    others = [scan((i,), 1, 63) for i in everything[1:]]
    return [scan(everything, 0, 0), scan((0,), 1, 5), *others, scan((0,), 6, 63)]


def _progressive(layout: Layout, scan: Scan, blocks: list[Blocks]) -> list[Segment]:
    order = order_of(layout, scan.members, scan.interval)
    coefficients = _gather(order, scan.members, blocks)
    if scan.band[0] == 0:
        parts = _dc_tokens(coefficients[:, 0], order)
        tokens = _finish(parts, order)
        shared = [(0, min(i, 1)) for i in _firsts(scan)]
        numbers = [(number, 0) for _, number in shared]
    else:
        tokens = _finish(_ac_tokens(coefficients, order, scan.band, runs=True), order)
        shared, numbers = [(1, 0)], [(0, 0)]
    fresh = _best(tokens, shared)
    return [
        _dht([(kind, number, fresh[kind, number]) for kind, number in sorted(fresh)]),
        _sos(layout, scan, [fresh[one] for one in shared], tokens, numbers),
    ]


def _gather(order: Order, members: tuple[int, ...], blocks: list[Blocks]) -> NDArray[np.int16]:
    """Return the (N, 64) blocks of a scan in its order."""
    if len(members) == 1:
        return blocks[members[0]][order.rows, order.columns]
    result = np.empty((len(order.rows), 64), np.int16)
    for i, target in enumerate(members):
        mine = order.member == i
        result[mine] = blocks[target][order.rows[mine], order.columns[mine]]
    return result


@dataclass(frozen=True)
class _Part:
    """Tokens with the block each belongs to, blocks ascending."""

    block: NDArray[np.int64]
    symbol: NDArray[np.int64]
    table: NDArray[np.int64]
    extra: NDArray[np.int64]
    size: NDArray[np.int64]


def _magnitude(value: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many bits values take, and the bits (F.1.2.1)."""
    size = np.zeros(len(value), np.int64)
    rest = np.abs(value)
    while rest.any():
        size += rest > 0
        rest >>= 1
    return size, np.where(value < 0, value + (1 << size) - 1, value)


def _dc_tokens(dc: NDArray[np.int16], order: Order) -> _Part:
    values = dc.astype(np.int64)
    difference = np.empty_like(values)
    first = np.zeros(len(values), np.int64)
    first[order.blocks_before] = 1
    interval = np.cumsum(first)
    for member in range(max(order.plan) + 1):
        mine = np.flatnonzero(order.member == member)
        own = np.diff(values[mine], prepend=0)
        fresh = np.diff(interval[mine], prepend=0) > 0
        own[fresh] = values[mine][fresh]
        difference[mine] = own
    size, extra = _magnitude(difference)
    return _Part(np.arange(len(values)), size, order.member, extra, size)


def _ac_tokens(
    coefficients: NDArray[np.int16], order: Order, band: tuple[int, int], *, runs: bool
) -> _Part:
    """Return the tokens of a band; with `runs` blocks that are over share one token."""
    first, last = band
    view = coefficients[:, first : last + 1]
    block, k = np.nonzero(view)
    value = view[block, k].astype(np.int64)
    count = len(view)
    new_block = np.diff(block, prepend=-1) > 0
    gap = np.where(new_block, k, k - np.roll(k, 1) - 1)
    long = gap >> 4
    size, extra = _magnitude(value)
    # every coefficient: its ZRLs, then itself
    many = long + 1
    at = np.cumsum(many) - 1
    total = int(many.sum())
    symbol = np.full(total, _ZRL, np.int64)
    symbol[at] = (gap & 15) << 4 | size
    extra_, size_ = np.zeros(total, np.int64), np.zeros(total, np.int64)
    extra_[at], size_[at] = extra, size
    block_ = np.repeat(block, many)
    # end-of-block tokens
    final = np.full(count, -1, np.int64)
    final[block] = k  # ascending within a block: the last one stays
    over = final < last - first
    ends, run = _runs(over, final >= 0, order) if runs else (np.flatnonzero(over), None)
    if run is None:
        end_symbol, end_extra, end_size = (np.zeros(len(ends), np.int64) for _ in range(3))
    else:
        end_size = np.log2(run).astype(np.int64)
        end_symbol, end_extra = end_size << 4, run - (1 << end_size)
    where = np.searchsorted(block_, ends, side="right")
    merged = np.insert(block_, where, ends)
    return _Part(
        merged,
        np.insert(symbol, where, end_symbol),
        order.member[merged],
        np.insert(extra_, where, end_extra),
        np.insert(size_, where, end_size),
    )


def _runs(
    over: NDArray[np.bool_], filled: NDArray[np.bool_], order: Order
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first block of every end-of-band run, and how many blocks it spans."""
    begins = over & (filled | np.append(True, ~over[:-1]))
    begins[order.blocks_before] |= over[order.blocks_before]
    starts = np.flatnonzero(begins)
    # a run ends where another begins, or before a block that is not over
    stops = np.flatnonzero(begins | ~over)
    behind = np.append(stops, len(over))[np.searchsorted(stops, starts, side="right")]
    spans = behind - starts
    pieces = -(-spans // _LONGEST_RUN)
    if pieces.max(initial=1) > 1:
        inner = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        whole = np.repeat(spans, pieces)
        starts = np.repeat(starts, pieces) + inner * _LONGEST_RUN
        spans = np.minimum(whole - inner * _LONGEST_RUN, _LONGEST_RUN)
    return starts, spans


def _finish(part: _Part, order: Order) -> _Tokens:
    breaks = np.searchsorted(part.block, order.blocks_before)
    return _Tokens(part.symbol, part.table, part.extra, part.size, breaks)


def _join(dc: _Part, ac: _Part, order: Order, *, tables: int) -> _Tokens:
    """Merge DC tokens before the AC tokens of their blocks; AC tables are numbered behind DC's."""
    where = np.searchsorted(ac.block, dc.block)
    merged = [
        np.insert(getattr(ac, name) + shift, where, getattr(dc, name))
        for name, shift in (
            ("block", 0),
            ("symbol", 0),
            ("table", tables),
            ("extra", 0),
            ("size", 0),
        )
    ]
    return _finish(_Part(*merged), order)


def _codable(tokens: _Tokens, tables: list[Table]) -> bool:
    for i, table in enumerate(tables):
        used = np.unique(tokens.symbol[tokens.table == i])
        if (table.codes[1][used] == 0).any():
            return False
    return True


def _best(tokens: _Tokens, shared: list[tuple[int, int]]) -> dict[tuple[int, int], Table]:
    """Return the best tables by (kind, number); `shared` maps table indices to those."""
    counts: dict[tuple[int, int], NDArray[np.int64]] = {}
    for i, name in enumerate(shared):
        found = np.bincount(tokens.symbol[tokens.table == i], minlength=256)
        counts[name] = counts.get(name, 0) + found
    return {name: optimal(found) for name, found in counts.items()}


def _dht(tables: list[tuple[int, int, Table]]) -> Segment:
    return Segment(DHT, b"".join(table.segment(kind, number) for kind, number, table in tables))


def _sos(
    layout: Layout, scan: Scan, tables: list[Table], tokens: _Tokens, numbers: list[tuple[int, int]]
) -> Segment:
    """Return the scan, coded; `numbers` are the DC and AC table of every member."""
    value, length = _coded(tokens, tables)
    body = bytes([len(scan.members)])
    for member, (dc, ac) in zip(scan.members, numbers, strict=True):
        body += bytes([layout.components[member].number, dc << 4 | ac])
    body += bytes([*scan.band, 0])
    return Segment(SOS, body, scan=pack(value, length, tokens.breaks))


def _coded(tokens: _Tokens, tables: list[Table]) -> tuple[Values, Positions]:
    codes = np.stack([table.codes[0] for table in tables])[tokens.table, tokens.symbol]
    lengths = np.stack([table.codes[1] for table in tables])[tokens.table, tokens.symbol]
    value = codes << tokens.size.astype(np.uint64) | tokens.extra.astype(np.uint64)
    return value, lengths + tokens.size
