"""The dlib network, converted, against a reference written the slow way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from photocloak.core import ModelError
from photocloak.engine.conversion import dlib_resnet, dlib_template
from photocloak.engine.extractors.spec import load_specs
from tests.engine.conversion.slowly import Array, close, conv, run


class FakeDat:
    """Writes tensors as dlib serialises them, with layer names and settings in between."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)
        self.data = b"\x01\x01\x01\x0dloss_metric_2" + b"\x01\x02" * 40 + b"\x03\x15input_rgb_image"

    def tensor(self, values: Array) -> None:
        self.data += b"\x05con_4\x01\x07\x01\x01\x02\x01\x02"
        self.data += b"\x01\x02" + b"".join(
            bytes([4]) + size.to_bytes(4, "little") for size in (len(values), 1, 1, 1)
        )
        self.data += values.astype("<f4").tobytes()

    def convolution(self, filters: int, channels: int, edge: int) -> Callable[..., Array]:
        shape = (filters, channels, edge, edge)
        kernel = self._rng.standard_normal(shape) / np.sqrt(channels) / edge
        bias, gamma, beta = self._rng.standard_normal((3, filters)) * 0.3
        gamma += 1
        self.tensor(np.concatenate([kernel.ravel(), bias]))
        self.tensor(np.concatenate([gamma, beta]))

        def layer(x: Array, stride: int, pad: int) -> Array:
            y = conv(x, kernel, stride, (pad, pad)) + bias[:, None, None]
            return np.asarray(y * gamma[:, None, None] + beta[:, None, None])

        return layer


def grown(x: Array, shape: tuple[int, ...]) -> Array:
    extra = [(0, b - a) for a, b in zip(x.shape, shape, strict=True)]
    return np.asarray(np.pad(x, extra))


@pytest.fixture(scope="module")
def dat() -> tuple[bytes, Array, Array]:
    """A file of dlib's format, chips, and what the network makes of them."""
    file = FakeDat()
    chips = np.random.default_rng(6).uniform(0, 255, (2, 3, 150, 150))
    x = (chips - np.reshape([122.782, 117.001, 104.298], (1, 3, 1, 1))) / 256
    x = np.maximum(file.convolution(32, 3, 7)(x, 2, 0), 0)
    x = sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::2, ::2].max(axis=(4, 5))
    kinds = [(32, 3), (-64, 1), (64, 3), (-128, 1), (128, 2), (-256, 1), (256, 2), (-256, 1)]
    for filters in [f for f, times in kinds for _ in range(times)]:
        down, after = filters < 0, abs(filters)
        first = file.convolution(after, x.shape[1], 3)
        y = np.maximum(first(x, 2 if down else 1, 0 if down else 1), 0)
        y = file.convolution(after, after, 3)(y, 1, 1)
        if down:
            x = sliding_window_view(x, (2, 2), axis=(2, 3))[:, :, ::2, ::2].mean(axis=(4, 5))
        shape = tuple(max(a, b) for a, b in zip(x.shape, y.shape, strict=True))
        x = np.maximum(grown(x, shape) + grown(y, shape), 0)
    matrix = np.random.default_rng(7).standard_normal((256, 128))
    file.tensor(matrix.ravel())
    return file.data + b"\x01\x02\x00", chips, x.mean(axis=(2, 3)) @ matrix


def test_dlib_is_the_network_of_its_file(tmp_path: Path, dat: tuple[bytes, Array, Array]) -> None:
    data, chips, wanted = dat
    path = tmp_path / "x.dat"
    path.write_bytes(data)
    [found] = run(dlib_resnet.convert(path), chips=chips)
    close(found, wanted)


def test_a_cut_or_longer_dlib_file_is_refused(
    tmp_path: Path, dat: tuple[bytes, Array, Array]
) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(dat[0][:-9000])
    with pytest.raises(ModelError, match="missing"):
        dlib_resnet.convert(path)
    path.write_bytes(dat[0] + bytes(9000))
    with pytest.raises(ModelError, match="more layers"):
        dlib_resnet.convert(path)


def test_dlib_manifest_has_the_fitted_template() -> None:
    np.testing.assert_allclose(load_specs()["dlib"].template, dlib_template.template(), atol=1e-4)
    apart = np.linalg.norm(dlib_template.template() - dlib_template.mean_face(), axis=1)
    assert apart.max() < 4  # of 150 pixels
