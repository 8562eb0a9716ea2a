"""The slow way to compute a network, for conversions to be compared with."""

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from photocloak.engine.runtime import require_onnxruntime

Array = NDArray[np.float64]


def run(model: onnx.ModelProto, **feeds: Array) -> list[NDArray[np.float32]]:
    session = require_onnxruntime().InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, {k: v.astype(np.float32) for k, v in feeds.items()}))


def close(found: NDArray[np.float32], wanted: Array) -> None:
    assert found.shape == wanted.shape
    assert np.abs(wanted).max() > 1e-3  # nothing died on the way
    np.testing.assert_allclose(found, wanted, atol=2e-5 * float(np.abs(wanted).max()))


def conv(x: Array, kernel: Array, stride: int, pads: tuple[int, int], group: int = 1) -> Array:
    """Convolve (N, C, H, W) with (O, C / group, k, k); `pads` before and after, on both axes."""
    x = np.pad(x, ((0, 0), (0, 0), pads, pads))
    k = kernel.shape[-1]
    windows = sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]
    if group > 1:
        return np.asarray(np.einsum("nchwij,cij->nchw", windows, kernel[:, 0], optimize=True))
    return np.asarray(np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True))
