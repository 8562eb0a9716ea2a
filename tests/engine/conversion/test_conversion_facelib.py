"""facelib's MobileNet from TensorFlow Lite, against a reference written the slow way."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from photocloak.core import ModelError
from photocloak.engine.conversion import facelib
from tests.engine.conversion.slowly import Array, close, conv, run

Ops = tflite.BuiltinOperator
KINDS = {
    np.dtype(np.float32): tflite.TensorType.FLOAT32,
    np.dtype(np.int32): tflite.TensorType.INT32,
}


class FakeLite:
    """Writes a TensorFlow Lite file: a chain of operators with constants."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)
        self._builder = flatbuffers.Builder(1024)
        self._buffers: list[int] = []
        self._tensors: list[int] = []
        self._codes: list[int] = []
        self._operators: list[int] = []
        self._x = self._tensor((1, 112, 112, 3), tflite.TensorType.FLOAT32, 0)

    def weight(self, *shape: int, scale: float = 1.0, shift: float = 0.0) -> Array:
        values = self._rng.standard_normal(shape) * scale + shift
        return values.astype(np.float32).astype(np.float64)

    def add(
        self,
        op: int,
        gives: Sequence[int],
        *constants: NDArray[Any],
        options: Callable[[Any], int] | None = None,
        kind: int = tflite.BuiltinOptions.NONE,
    ) -> None:
        """Append an operator that takes what the last one gives; `options` begins its table."""
        inputs = [self._x, *map(self._constant, constants)]
        self._x = self._tensor(gives, tflite.TensorType.FLOAT32, 0)
        table = options(self._builder) if options else None
        ins = self._builder.CreateNumpyVector(np.array(inputs, np.int32))
        outs = self._builder.CreateNumpyVector(np.array([self._x], np.int32))
        b = self._builder
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, len(self._codes))
        tflite.OperatorAddInputs(b, ins)
        tflite.OperatorAddOutputs(b, outs)
        if table is not None:
            tflite.OperatorAddBuiltinOptionsType(b, kind)
            tflite.OperatorAddBuiltinOptions(b, table)
        self._operators.append(tflite.OperatorEnd(b))
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, op)
        self._codes.append(tflite.OperatorCodeEnd(b))

    def conv(
        self, x: Array, edge: int, filters: int, *, stride: int = 1, same: bool = True
    ) -> Array:
        """Append a convolution with ReLU6; `filters` 0 makes it depthwise."""
        depthwise, channels = not filters, x.shape[1]
        shape = (1, edge, edge, channels) if depthwise else (filters, edge, edge, channels)
        kernel = self.weight(*shape, scale=1.5 / edge / (1 if depthwise else np.sqrt(channels)))
        bias = self.weight(channels if depthwise else filters, shift=1.0)
        oihw = kernel.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        pads = (edge // 2, edge // 2) if same else (0, 0)
        y = conv(x, oihw, stride, pads, channels if depthwise else 1) + bias[:, None, None]
        prefix = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"

        def options(b: Any) -> int:
            getattr(tflite, f"{prefix}Start")(b)
            padding = tflite.Padding.SAME if same else tflite.Padding.VALID
            for field, value in (
                ("Padding", padding),
                ("StrideW", stride),
                ("StrideH", stride),
                ("FusedActivationFunction", tflite.ActivationFunctionType.RELU6),
            ):
                getattr(tflite, f"{prefix}Add{field}")(b, value)
            return int(getattr(tflite, f"{prefix}End")(b))

        self.add(
            Ops.DEPTHWISE_CONV_2D if depthwise else Ops.CONV_2D,
            (1, *y.shape[2:], y.shape[1]),
            kernel.astype(np.float32),
            bias.astype(np.float32),
            options=options,
            kind=getattr(tflite.BuiltinOptions, prefix),
        )
        return np.clip(y, 0, 6)

    def pad(self, x: Array) -> Array:
        """Append a row and a column of zeros at the end."""
        x = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)))
        pads = np.array([[0, 0], [0, 1], [0, 1], [0, 0]], np.int32)
        self.add(Ops.PAD, (1, *x.shape[2:], x.shape[1]), pads)
        return x

    def write(self, path: Path) -> Path:
        b = self._builder
        tensors, operators = self._tables(self._tensors), self._tables(self._operators)
        ends = [b.CreateNumpyVector(np.array([i], np.int32)) for i in (0, self._x)]
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors)
        tflite.SubGraphAddInputs(b, ends[0])
        tflite.SubGraphAddOutputs(b, ends[1])
        tflite.SubGraphAddOperators(b, operators)
        graph = tflite.SubGraphEnd(b)
        none = self._buffer(np.zeros(0))  # the first, of all tensors without data
        parts = [[graph], self._codes, [none, *self._buffers]]
        graphs, codes, buffers = map(self._tables, parts)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddSubgraphs(b, graphs)
        tflite.ModelAddOperatorCodes(b, codes)
        tflite.ModelAddBuffers(b, buffers)
        b.Finish(tflite.ModelEnd(b), b"TFL3")
        path.write_bytes(b.Output())
        return path

    def _constant(self, values: NDArray[Any]) -> int:
        self._buffers.append(self._buffer(values))
        return self._tensor(values.shape, KINDS[values.dtype], len(self._buffers))

    def _buffer(self, values: NDArray[Any]) -> int:
        b = self._builder
        data = b.CreateByteVector(values.tobytes())
        tflite.BufferStart(b)
        tflite.BufferAddData(b, data)
        return int(tflite.BufferEnd(b))

    def _tensor(self, shape: Sequence[int], kind: int, buffer: int) -> int:
        b = self._builder
        sizes = b.CreateNumpyVector(np.array(shape, np.int32)) if len(shape) else None
        tflite.TensorStart(b)
        if sizes is not None:
            tflite.TensorAddShape(b, sizes)
        tflite.TensorAddType(b, kind)
        tflite.TensorAddBuffer(b, buffer)
        self._tensors.append(tflite.TensorEnd(b))
        return len(self._tensors) - 1

    def _tables(self, offsets: Sequence[int]) -> int:
        b = self._builder
        b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            b.PrependUOffsetTRelative(offset)
        return int(b.EndVector())


def small_facelib(chips: Array) -> tuple[FakeLite, Array]:
    """Return a file with every operator of facelib's, and its features of the chips."""
    fake = FakeLite()
    fake.add(Ops.SUB, (1, 112, 112, 3), np.array(127.5, np.float32))
    fake.add(Ops.MUL, (1, 112, 112, 3), np.array(0.0078125, np.float32))
    x = fake.pad((chips - 127.5) * 0.0078125)
    x = fake.conv(x, 3, 6, stride=2, same=False)
    x = fake.conv(x, 3, 0)
    x = fake.conv(x, 1, 8)
    x = fake.conv(fake.pad(x), 3, 0, stride=2, same=False)
    mean = x.mean(axis=(2, 3))
    fake.add(Ops.MEAN, (1, 8), np.array([1, 2], np.int32))
    gain, shift = fake.weight(8, shift=1.0), fake.weight(8)
    fake.add(Ops.MUL, (1, 8), gain.astype(np.float32))
    fake.add(Ops.ADD, (1, 8), shift.astype(np.float32))
    matrix, bias = fake.weight(128, 8), fake.weight(128)
    fake.add(Ops.FULLY_CONNECTED, (1, 128), matrix.astype(np.float32), bias.astype(np.float32))
    return fake, (mean * gain + shift) @ matrix.T + bias


def test_facelib_is_the_network_of_its_file(tmp_path: Path) -> None:
    chips = np.random.default_rng(0).uniform(0, 255, (2, 3, 112, 112))
    fake, wanted = small_facelib(chips)
    model = facelib.convert(fake.write(tmp_path / "x.tflite"))
    close(run(model, chips=chips)[0], wanted)
    # What the graph multiplies, shifts and pads is inside its layers.
    kinds = {n.op_type for n in model.graph.node}
    assert kinds == {"Sub", "Conv", "Clip", "GlobalAveragePool", "Flatten", "Gemm"}


def test_an_operator_of_another_network_is_refused(tmp_path: Path) -> None:
    fake, _ = small_facelib(np.zeros((1, 3, 112, 112)))
    fake.add(Ops.TANH, (1, 128))
    with pytest.raises(ModelError, match=r"x\.tflite is not facelib's MobileNet, .*TANH"):
        facelib.convert(fake.write(tmp_path / "x.tflite"))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    fake, _ = small_facelib(np.zeros((1, 3, 112, 112)))
    path = fake.write(tmp_path / "cut.tflite")
    data = path.read_bytes()

    @given(end=st.integers(0, len(data) - 1))
    def check(end: int) -> None:
        path.write_bytes(data[:end])
        with pytest.raises(ModelError, match=r"cut\.tflite is not facelib's"):
            facelib.convert(path)

    check()
