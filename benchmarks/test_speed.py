"""The parts of `photocloak bench`, for pytest-benchmark: `pytest benchmarks`.

python -m pip install pytest-benchmark
python -m pytest benchmarks --benchmark-group-by=param:name
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photocloak.engine import Detector, load_specs
from photocloak.plugin import Folders, Job, Pipeline, Settings, load_engine, open_pipeline
from photocloak.plugin.bench import photos
from photocloak.plugin.bench.machine import has_torch, product
from photocloak.plugin.bench.steps import LAYOUTS, calls_of, in_torch, ours
from photocloak.plugin.bench.whole import Size

Benchmark = Any  # pytest-benchmark is not typed

THREADS = 1
"""Of each recogniser, as a cloak on two cores gives it."""


@pytest.mark.parametrize("name", load_specs())
@pytest.mark.parametrize("way", ["forward", "step", *LAYOUTS])
def test_recogniser(benchmark: Benchmark, name: str, way: str) -> None:
    spec = load_specs()[name]
    if way in LAYOUTS:
        if not has_torch():
            pytest.skip("PyTorch is not installed")
        benchmark(calls_of(in_torch(spec, THREADS, way))[0])
    else:
        step, forward = calls_of(ours(spec, THREADS))
        benchmark(step if way == "step" else forward)


def test_matrix_product(benchmark: Benchmark) -> None:
    benchmark(product(THREADS)[0])


@pytest.mark.parametrize("megapixels", [2, 12, 24])
def test_detection(benchmark: Benchmark, megapixels: int) -> None:
    benchmark(Detector(), photos.photo(megapixels, 1))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    user = Folders.of_user()
    private = Folders(user.config, tmp_path_factory.mktemp("data"))
    yield open_pipeline(load_engine(Settings(), user), private)


@pytest.mark.parametrize("size", [Size(2, 1), Size(2, 4), Size(24, 1)], ids=str)
def test_photo(benchmark: Benchmark, pipeline: Pipeline, size: Size, tmp_path: Path) -> None:
    source = photos.write(size.megapixels, size.faces, tmp_path)

    def cloak() -> None:
        outcome = pipeline.run(Job(source, tmp_path / "out", "balanced", "keep"))
        assert outcome.output is not None
        outcome.output.unlink()

    benchmark.pedantic(cloak, rounds=5, warmup_rounds=1)
