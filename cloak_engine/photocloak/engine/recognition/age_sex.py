"""Age and sex heads on the features of HSE MobileNet (Savchenko 2019)."""

import tomllib
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from photocloak.core import manifest_root
from photocloak.engine.extractors.cache import ModelCache, plain_key
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.geometry import Array

EXTRACTOR = "hse"
"""The extractor whose features the heads read."""


class AgeSex:
    """Maps (N, 1024) raw features of `EXTRACTOR` to apparent age and sex."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __call__(self, features: Array, /) -> tuple[Array, Array]:
        """Return ages in years and sexes, 0 (female) to 1 (male), (N,) float32 each."""
        chances, male = self._session.run(["age", "sex"], {"embedding": features})
        return np.asarray(chances @ np.arange(1, 101), np.float32), male[:, 0]


@cache
def load_age_sex_head(folder: Path | None = None) -> AgeSex:
    """Return the shipped heads; ModelError where the file is missing or not the pinned one.

    `folder` is for models that are ready to run.
    """
    path = manifest_root() / "heads" / "age_sex.toml"
    manifest = tomllib.loads(path.read_text("utf-8"))
    read = partial(read_model, path.parent / manifest["model"], manifest["sha256"])
    key = plain_key("age_sex", manifest["sha256"])
    return AgeSex(ModelCache(folder).open(key, read, threads=1, device="cpu"))
