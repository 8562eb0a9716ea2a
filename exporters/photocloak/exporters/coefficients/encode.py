"""From coefficients to entropy-coded bytes (T.81 annexes F and G), all in NumPy.

A sequential file keeps its scans and, where they have a code for every symbol, its Huffman
tables: with no coefficient changed it comes out byte for byte as it was. A progressive file gets
a plain progression (DC, then bands) with the best tables; its coefficients are as exact.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.bits import pack
from photocloak.exporters.coefficients.huffman import Table, optimal
from photocloak.exporters.coefficients.layout import Blocks, Layout, Scan
from photocloak.exporters.coefficients.order import Order, order_of
from photocloak.exporters.coefficients.tokens import Tokens, ac_tokens, dc_tokens, join
from photocloak.exporters.containers.segments import DHT, DRI, SOS, Segment


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
    tokens = join(
        dc_tokens(coefficients[:, 0], order),
        ac_tokens(coefficients, order, (1, 63), runs=False),
        tables=len(scan.members),
    )
    own = [table for table in (*scan.dc, *scan.ac) if table is not None]
    names = [(kind, i) for kind in (0, 1) for i in range(len(scan.members))]
    if len(own) == len(names) and _codable(tokens, own):
        coded = _coded(tokens, own, order)
        return [_dht(_selectors(own, scan)), _sos(layout, scan, _numbers(own, scan), coded)]
    # luma has tables of its own, the rest share theirs: four are allowed, two in baseline
    shared = [(kind, min(i, 1)) for kind, i in names]
    fresh, coded = _anew(tokens, shared, order)
    numbers = [(number, number) for kind, number in shared if kind == 0]
    return [fresh, _sos(layout, scan, numbers, coded)]


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
        tokens = dc_tokens(coefficients[:, 0], order)
        shared = [(0, min(i, 1)) for i in range(len(scan.members))]
        numbers = [(number, 0) for _, number in shared]
    else:
        tokens = ac_tokens(coefficients, order, scan.band, runs=True)
        shared, numbers = [(1, 0)], [(0, 0)]
    fresh, coded = _anew(tokens, shared, order)
    return [fresh, _sos(layout, scan, numbers, coded)]


def _gather(order: Order, members: tuple[int, ...], blocks: list[Blocks]) -> NDArray[np.int16]:
    """Return the (N, 64) blocks of a scan in its order."""
    if len(members) == 1:
        return blocks[members[0]][order.rows, order.columns]
    result = np.empty((len(order.rows), 64), np.int16)
    for i, target in enumerate(members):
        mine = order.member == i
        result[mine] = blocks[target][order.rows[mine], order.columns[mine]]
    return result


def _codable(tokens: Tokens, tables: list[Table]) -> bool:
    for i, table in enumerate(tables):
        used = np.unique(tokens.symbol[tokens.table == i])
        if (table.codes[1][used] == 0).any():
            return False
    return True


def _anew(tokens: Tokens, shared: list[tuple[int, int]], order: Order) -> tuple[Segment, bytes]:
    """Return the best tables and the tokens coded with them.

    Args:
        tokens: of the scan.
        shared: (kind, number) of each of the tokens' tables; those of one name become one table.
        order: of the scan.

    """
    counts: dict[tuple[int, int], NDArray[np.int64]] = {}
    for i, name in enumerate(shared):
        found = np.bincount(tokens.symbol[tokens.table == i], minlength=256)
        counts[name] = counts.get(name, 0) + found
    best = {name: optimal(found) for name, found in counts.items()}
    tables = _dht([(kind, number, best[kind, number]) for kind, number in sorted(best)])
    return tables, _coded(tokens, [best[name] for name in shared], order)


def _coded(tokens: Tokens, tables: list[Table], order: Order) -> bytes:
    """Return the entropy-coded bytes."""
    codes = np.stack([table.codes[0] for table in tables])[tokens.table, tokens.symbol]
    lengths = np.stack([table.codes[1] for table in tables])[tokens.table, tokens.symbol]
    value = codes << tokens.size.astype(np.uint64) | tokens.extra.astype(np.uint64)
    return pack(value, lengths + tokens.size, tokens.breaks(order))


def _dht(tables: list[tuple[int, int, Table]]) -> Segment:
    return Segment(DHT, b"".join(table.segment(kind, number) for kind, number, table in tables))


def _sos(layout: Layout, scan: Scan, numbers: list[tuple[int, int]], coded: bytes) -> Segment:
    """Return the scan with its header; `numbers` are the DC and AC table of every member."""
    body = bytes([len(scan.members)])
    for member, (dc, ac) in zip(scan.members, numbers, strict=True):
        body += bytes([layout.components[member].number, dc << 4 | ac])
    body += bytes([*scan.band, 0])
    return Segment(SOS, body, scan=coded)
