"""DC coefficients are sent as differences, from 0 on with every restart interval (T.81 F.1.1.5)."""

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.block_order import BlockOrder
from photocloak.exporters.jpeg_dct.headers import UnsupportedError


def differences(order: BlockOrder, values: NDArray[np.int16]) -> NDArray[np.int32]:
    """Return what is sent for the (N,) DC coefficients of a scan."""
    result = np.empty(len(values), np.int32)
    for mine, opens in _members(order):
        own = values[mine].astype(np.int32)
        result[mine] = np.where(opens, own, np.diff(own, prepend=0))
    return result


def sums(order: BlockOrder, sent: NDArray[np.int64], low: int = 0) -> NDArray[np.int16]:
    """Return the (N,) DC coefficients for what was sent, but for `low` bits.

    Raises:
        UnsupportedError: they are too large.

    """
    result = np.empty(len(sent), np.int16)
    for mine, opens in _members(order):
        total = np.cumsum(sent[mine])
        before = (total - sent[mine])[opens]
        values = (total - before[np.cumsum(opens) - 1]) << low
        if np.abs(values).max(initial=0) > 32767:
            raise UnsupportedError("a DC coefficient is out of range")
        result[mine] = values
    return result


def _members(order: BlockOrder) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Return the blocks of every member, and which of them are its first in an interval."""
    interval = np.cumsum(order.opens)
    all_of_them = [np.flatnonzero(order.member == i) for i in range(max(order.plan) + 1)]
    return [(mine, np.diff(interval[mine], prepend=0) > 0) for mine in all_of_them]
