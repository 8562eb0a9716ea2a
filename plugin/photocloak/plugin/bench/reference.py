"""The cost that photocloak's own is compared with; frozen in manifests/bench/reference.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields

from photocloak.core import ConfigError, manifest_root


@dataclass(frozen=True)
class Reference:
    """The published recipe: one photo at a time, in eager PyTorch. See the file for each field."""

    commit: str
    recipe: str
    extractors: tuple[str, ...]
    similarity: float
    reached: float
    steps: int
    operations: float

    def seconds(self, torch: Mapping[str, float] | None, *, peak: float) -> float:
        """Return what a face costs: the steps of the recognisers alone.

        Args:
            torch: seconds of a step by extractor, measured here; None: no PyTorch.
            peak: 10⁹ operations a second in a matrix product here, which then stands in.

        """
        if torch is None:
            return self.steps * self.operations / peak
        return self.steps * sum(torch[name] for name in self.extractors)


def load_reference() -> Reference:
    """Read the frozen reference."""
    path = manifest_root() / "bench" / "reference.toml"
    table = tomllib.loads(path.read_text("utf-8"))
    if set(table) != {field.name for field in fields(Reference)}:
        raise ConfigError(f"{path}: wrong or missing keys; reinstall photocloak.")
    return Reference(**table | {"extractors": tuple(table["extractors"])})
