"""Huffman tables (T.81 annex C and K.2)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """A Huffman table.

    Attributes:
        counts: how many codes there are of 1 to 16 bits.
        values: the symbols in the order of their codes.

    """

    counts: bytes
    values: bytes

    @cached_property
    def codes(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """(256,) code and (256,) its length by symbol; length 0: the symbol has no code."""
        codes, lengths = np.zeros(256, np.uint64), np.zeros(256, np.int64)
        code, index = 0, 0
        for bits, count in enumerate(self.counts, 1):
            for symbol in self.values[index : index + count]:
                codes[symbol], lengths[symbol] = code, bits
                code += 1
            index += count
            code <<= 1
        return codes, lengths

    @cached_property
    def lookup(self) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """(65536,) symbol and length by the next 16 bits; symbol −1, length 1: no code."""
        symbols = np.full(65536, -1, np.int16)
        lengths = np.ones(65536, np.int64)
        at, index = 0, 0
        for bits, count in enumerate(self.counts, 1):
            span = 1 << (16 - bits)
            for symbol in self.values[index : index + count]:
                symbols[at : at + span], lengths[at : at + span] = symbol, bits
                at += span
            index += count
        return symbols, lengths

    def segment(self, kind: int, number: int) -> bytes:
        """Return its part of a DHT segment; `kind` 0 is DC, 1 AC."""
        return bytes([kind << 4 | number]) + self.counts + self.values


def optimal(frequencies: NDArray[np.int64]) -> Table:
    """Return the best table for (256,) symbol frequencies, with codes of at most 16 bits (K.2)."""
    weights = [*frequencies.tolist(), 1]  # one more symbol, so that no code is all ones
    used = [symbol for symbol, weight in enumerate(weights) if weight]
    if len(used) == 1:
        return Table(bytes([1, *[0] * 15]), bytes([0]))
    sizes = dict.fromkeys(used, 0)
    trees = [(weights[symbol], [symbol]) for symbol in used]
    while len(trees) > 1:
        # rarest first; of equals the larger symbol, so that symbol 256 gets the longest code
        trees.sort(key=lambda tree: (-tree[0], max(tree[1]) == 256, max(tree[1])))
        (a, left), (b, right) = trees.pop(), trees.pop()
        for symbol in left + right:
            sizes[symbol] += 1
        trees.append((a + b, left + right))
    counts = [0] * 300
    for size in sizes.values():
        counts[size] += 1
    for bits in range(len(counts) - 1, 16, -1):
        while counts[bits] > 0:
            shorter = bits - 2
            while counts[shorter] == 0:
                shorter -= 1
            counts[bits] -= 2
            counts[bits - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    longest = max(bits for bits in range(17) if counts[bits])
    counts[longest] -= 1  # the code of the extra symbol
    order = sorted((size, symbol) for symbol, size in sizes.items() if symbol != 256)
    return Table(bytes(counts[1:17]), bytes(symbol for _, symbol in order))
