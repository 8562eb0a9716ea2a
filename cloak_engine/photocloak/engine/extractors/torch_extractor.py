"""The same ONNX graph with PyTorch's autograd, for models that hold an operator without a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photocloak.core import ModelError, install_hint
from photocloak.engine.autodiff.graph import Graph, UnsupportedOperatorError
from photocloak.engine.extractors.forward import CHIPS, EMBEDDING, check_size
from photocloak.engine.extractors.protocol import Array, Kind, Objective, Step, checked
from photocloak.engine.runtime import Device

if TYPE_CHECKING:
    import onnx

    from photocloak.engine.extractors.spec import ExtractorSpec


class TorchExtractor:
    """Runs the graph node by node; the objective's own gradient is NumPy (`Objective.pull`)."""

    def __init__(
        self,
        spec: ExtractorSpec,
        forward: onnx.ModelProto,
        *,
        threads: int,
        device: Device,
        because: UnsupportedOperatorError | None = None,
        channels_last: bool = False,
    ) -> None:
        """Load `forward`, a model chips → embedding (see `forward_model`).

        Args:
            spec: the manifest.
            forward: the model.
            threads: CPU threads of the whole process, 0: PyTorch's choice.
            device: "cuda" and "auto" use an NVIDIA card where PyTorch finds one.
            because: why PyTorch is needed; named in the message where it is missing.
            channels_last: keep images with their channels together; which is faster depends on
                model and machine.

        Raises:
            ModelError: PyTorch is not installed, or cannot run an operator of this model either.

        """
        try:
            import torch
        except ImportError as error:
            reason = f"{because.operator} ({because.reason})" if because else "this runtime"
            raise ModelError(
                f"The model {spec.model} of {spec.name} needs PyTorch for {reason}: "
                f"{install_hint('torch>=2.4')}, or use another model."
            ) from error
        from photocloak.engine.extractors.torch_operators import OPERATORS, evaluate, place

        if threads:
            torch.set_num_threads(threads)
        self.spec = spec
        self._torch = torch
        self._device = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
        graph = Graph(forward)
        check_size(spec, graph.shape(EMBEDDING)[1])
        unknown = sorted({node.op for node in graph.nodes} - OPERATORS.keys())
        if unknown:
            raise ModelError(
                f"The model {spec.model} of {spec.name} holds operators that photocloak cannot "
                f"differentiate ({', '.join(unknown)}); use another model or export it without."
            )
        self._evaluate = evaluate
        self._nodes = graph.nodes
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        constants = {name: torch.from_numpy(one.copy()) for name, one in graph.constants.items()}
        placed = place(graph.nodes, constants, self._device)
        self._constants = {name: self._laid_out(one) for name, one in placed.items()}

    def open(self, _kind: Kind, /) -> None:
        """Nothing: the graph is there."""

    def embed(self, chips: Array, /) -> Array:
        """Return the raw features (N, D)."""
        with self._torch.inference_mode():
            features = self._features(self._tensor(checked(self.spec, chips)))
        return np.asarray(features.cpu().numpy(), np.float32)

    def step(self, chips: Array, objective: Objective, /) -> Step:
        """Return losses, features and gradient; one forward and one backward pass."""
        variable = self._tensor(checked(self.spec, chips)).requires_grad_()
        features = self._features(variable)
        embeddings = features.detach().cpu().numpy()
        losses, pull = objective.pull(embeddings)
        features.backward(self._tensor(pull.astype(np.float32)))
        return Step(losses, embeddings, variable.grad.cpu().numpy())

    def _tensor(self, array: Array) -> Any:
        return self._laid_out(self._torch.from_numpy(array).to(self._device))

    def _laid_out(self, tensor: Any) -> Any:
        return tensor.contiguous(memory_format=self._layout) if tensor.ndim == 4 else tensor

    def _features(self, chips: Any) -> Any:
        return self._evaluate(self._nodes, {**self._constants, CHIPS: chips})[EMBEDDING]
