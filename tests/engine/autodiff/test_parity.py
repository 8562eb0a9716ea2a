"""Both runtimes give the same gradient, operator by operator and for every shipped recogniser."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from photocloak.engine.autodiff import Graph
from photocloak.engine.extractors import load_extractor, load_specs
from photocloak.engine.extractors.forward import forward_model
from photocloak.engine.extractors.weights import read_model
from tests.engine.autodiff.test_autodiff_rules import CASES, IMAGE, Case, build
from tests.engine.users_model import random_objective, smooth_chips

pytestmark = pytest.mark.torch

WITHOUT_A_RULE = {
    "Cast": Case("t = Cast<to=7>(x) y = Cast<to=11>(t)", IMAGE),
    "Elu": Case("y = Elu<alpha=0.7>(x)", IMAGE),
    "GlobalMaxPool": Case("y = GlobalMaxPool(x)", IMAGE),
    "InstanceNormalization": Case(
        "y = InstanceNormalization(x, s, b)", IMAGE, {"s": np.arange(4.0), "b": np.ones(4)}
    ),
    "Max": Case("t = Neg(x) y = Max(t, x)", IMAGE),
    "MaxPool up": Case("y = MaxPool<kernel_shape=[2,2], ceil_mode=1, strides=[2,2]>(x)", IMAGE),
    "Min": Case("t = Neg(x) y = Min(t, x)", IMAGE),
    "Pad": Case('y = Pad<mode="reflect">(x, p)', IMAGE, {"p": np.array([0, 0, 1, 2, 0, 0, 2, 1])}),
    "ReduceMax": Case("y = ReduceMax<axes=[2,3], keepdims=0>(x)", IMAGE),
    "Slice": Case(
        "y = Slice(x, s, e, a, d)",
        IMAGE,
        {"s": np.array([-1]), "e": np.array([-9]), "a": np.array([2]), "d": np.array([-2])},
    ),
    "Softplus": Case("y = Softplus(x)", IMAGE),
    "Softsign": Case("y = Softsign(x)", IMAGE),
    "Sum": Case("t = Neg(x) y = Sum(t, x, x)", IMAGE),
}


@pytest.mark.parametrize("name", [*CASES, *(f"{name} without a rule" for name in WITHOUT_A_RULE)])
def test_pytorch_runs_operators_as_onnx_means_them(name: str) -> None:
    import torch

    from photocloak.engine.extractors.torch_operators import evaluate

    case = CASES.get(name) or WITHOUT_A_RULE[name.removesuffix(" without a rule")]
    x = np.random.default_rng(3).uniform(case.low, case.high, case.shape)
    graph = Graph(build(case, TensorProto.DOUBLE))
    values = {k: torch.from_numpy(np.array(v)) for k, v in graph.constants.items()}
    found = evaluate(graph.nodes, {**values, "x": torch.from_numpy(x)})["y"].numpy()
    expected = ReferenceEvaluator(build(case, TensorProto.DOUBLE)).run(None, {"x": x})[0]
    assert found.shape == np.shape(expected)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", load_specs())
def test_shipped_recognisers_have_the_gradient_of_pytorch(name: str) -> None:
    """To 1e-4, except for the pixels that a kink moves.

    A chip has a million activations; two runtimes round differently, so that in most chips one or
    two of them lie on the other side of a kink (counted against float64: 0 to 3). Each moves the
    gradient in its receptive field, by 1e-3 of the whole.
    """
    from photocloak.engine.extractors.torch_extractor import TorchExtractor

    spec = load_specs()[name]
    fast = load_extractor(spec, threads=1)
    assert type(fast).__name__ == "OnnxExtractor"
    forward = forward_model(read_model(spec.model, spec.sha256), spec)
    slow = TorchExtractor(spec, forward, threads=1, device="cpu")
    rng = np.random.default_rng(4)
    chips = smooth_chips(rng, 5, spec.size)
    goal = random_objective(rng, 5, spec.embedding)
    one, other = fast.step(chips, goal), slow.step(chips, goal)
    assert one.losses == pytest.approx(other.losses, rel=1e-4)
    largest = np.abs(other.embeddings).max()
    assert np.abs(one.embeddings - other.embeddings).max() < 1e-4 * largest
    assert np.abs(fast.embed(chips) - slow.embed(chips)).max() < 1e-4 * largest
    axes = (1, 2, 3)
    apart, size = (
        np.sqrt((g**2).mean(axes)) for g in (one.gradient - other.gradient, other.gradient)
    )
    assert (apart < 2e-2 * size).all()
    close = np.abs(one.gradient - other.gradient) < 1e-4 * size[:, None, None, None]
    assert np.median(close.mean(axes)) > 0.9
