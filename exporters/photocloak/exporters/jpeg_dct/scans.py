"""Segments around entropy-coded bytes: tables, scan headers, restart intervals."""

import struct
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers.segments import DHT, DRI, SOS, Segment
from photocloak.exporters.jpeg_dct.headers import Headers, Scan
from photocloak.exporters.jpeg_dct.huffman import Table, optimal
from photocloak.exporters.jpeg_dct.tokens import Tokens, occurrences

Names = list[tuple[int, int]]
"""Kind (0 DC, 1 AC) and number of tables."""


def with_intervals(scans: Iterable[tuple[Scan, list[Segment]]]) -> Iterator[Segment]:
    """Put a DRI segment wherever the restart interval becomes another."""
    interval = 0
    for scan, segments in scans:
        if scan.interval != interval:
            interval = scan.interval
            yield Segment(DRI, struct.pack(">H", interval))
        yield from segments


def names_of(own: list[Table]) -> Names:
    """Number the DC and AC tables of a scan's members by first use; equal ones share a number."""
    count = len(own) // 2
    return [(0, n) for n in _ranks(own[:count])] + [(1, n) for n in _ranks(own[count:])]


def _ranks(tables: list[Table]) -> list[int]:
    seen: list[Table] = []
    for table in tables:
        if table not in seen:
            seen.append(table)
    return [seen.index(table) for table in tables]


def best(tokens: list[Tokens], names: Names) -> list[Table]:
    """Return the best tables for some tokens; those of one name become one table."""
    counts: dict[tuple[int, int], NDArray[np.int64]] = {}
    for i, name in enumerate(names):
        counts[name] = counts.get(name, 0) + occurrences(tokens, i)
    tables = {name: optimal(found) for name, found in counts.items()}
    return [tables[name] for name in names]


def dht(tables: list[Table], names: Names) -> Segment:
    """Return the segment that defines tables."""
    parts = {name: table.segment(*name) for name, table in zip(names, tables, strict=True)}
    return Segment(DHT, b"".join(parts[name] for name in sorted(parts)))


def sos(headers: Headers, scan: Scan, numbers: list[tuple[int, int]], coded: bytes) -> Segment:
    """Return the scan with its header; `numbers` are the DC and AC table of every member."""
    body = bytes([len(scan.members)])
    for member, (dc, ac) in zip(scan.members, numbers, strict=True):
        body += bytes([headers.components[member].number, dc << 4 | ac])
    body += bytes([*scan.band, 0])
    return Segment(SOS, body, scan=coded)
