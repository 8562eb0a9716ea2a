"""Frozen TensorFlow graphs (`.pb`, a serialised GraphDef), read without TensorFlow.

Only what conversions need is read: names, operators, inputs, and of the attributes the integer
lists, texts and tensors. Field numbers are those of TensorFlow's graph.proto, node_def.proto,
attr_value.proto and tensor.proto; how fields lie in the file is told by
https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photocloak.core import ModelError

Fields = Mapping[int, list[Any]]

_DTYPES = {1: "<f4", 3: "<i4"}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class GraphNode:
    """One node of the graph.

    Attributes:
        name: what other nodes call it.
        op: TensorFlow's operator.
        inputs: the names of the nodes whose first output it takes.
        texts: attributes that are texts, such as `padding`.
        numbers: attributes that are lists of integers, such as `strides`.
        value: the tensor of a Const.

    """

    name: str
    op: str
    inputs: tuple[str, ...]
    texts: Mapping[str, str]
    numbers: Mapping[str, tuple[int, ...]]
    value: NDArray[Any] | None


def read_graph(path: Path) -> dict[str, GraphNode]:
    """Return the nodes by name, each after those it takes. Raises ModelError for a damaged file."""
    try:
        graph = _message(path.read_bytes())
        nodes = {node.name: node for node in (_node(_message(data)) for data in graph[1])}
        order = list(TopologicalSorter({n.name: n.inputs for n in nodes.values()}).static_order())
        return {name: nodes[name] for name in order}
    except (IndexError, KeyError, ValueError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path} is not a frozen TensorFlow graph, or damaged ({error!r}); unpack it again."
        ) from error


def _node(fields: Fields) -> GraphNode:
    inputs = (_text(name).removesuffix(":0") for name in fields.get(3, ()))
    attributes = {}
    for data in fields.get(5, ()):
        entry = _message(data)
        attributes[_text(entry[1][0])] = _message(entry[2][0])
    return GraphNode(
        name=_text(fields[1][0]),
        op=_text(fields[2][0]),
        inputs=tuple(name for name in inputs if not name.startswith("^")),  # ^: only run before
        texts={k: _text(v[2][0]) for k, v in attributes.items() if 2 in v},
        numbers={
            k: tuple(_integers(_message(v[1][0]).get(3, [])))
            for k, v in attributes.items()
            if 1 in v
        },
        value=_tensor(_message(attributes["value"][8][0])) if "value" in attributes else None,
    )


def _tensor(fields: Fields) -> NDArray[Any]:
    """Return a TensorProto; a single value may stand for many equal ones."""
    dtype = np.dtype(_DTYPES[fields[1][0]])
    dimensions = _message(fields[2][0]).get(2, [])
    shape = [_message(d).get(1, [0])[0] for d in dimensions]
    if 4 in fields:
        return np.frombuffer(fields[4][0], dtype).reshape(shape)
    if dtype.kind == "f":
        values = np.frombuffer(b"".join(fields[5]), dtype)
    else:
        values = np.array(list(_integers(fields[7])), dtype)
    return values.reshape(shape) if values.size > 1 else np.broadcast_to(values.reshape(()), shape)


def _message(data: bytes) -> Fields:
    """Return the values of a message by field number, undecoded but for integers."""
    fields: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        value: int | bytes
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
        else:
            if wire == _BYTES:
                size, at = _varint(data, at)
            else:
                size = {_FIXED64: 8, _FIXED32: 4}[wire]
            value, at = data[at : at + size], at + size
            if at > len(data):
                raise ValueError("it ends inside a field")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the integer at an offset (little-endian groups of seven bits) and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:  # the high bit says that more follow
            return value, at


def _integers(values: list[Any]) -> Iterator[int]:
    """Yield repeated integers, packed (bytes) or not."""
    for value in values:
        if isinstance(value, int):
            yield value
        else:
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                yield number


def _text(data: bytes) -> str:
    return data.decode()
