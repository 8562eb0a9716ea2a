"""Models kept ready on disk: the same results, and no trouble where they cannot be kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from photocloak.core import ModelError
from photocloak.engine import Ensemble, Extractor, load_extractor, load_specs
from photocloak.engine.autodiff import StepGraph, step_graph
from photocloak.engine.extractors import cache as module
from photocloak.engine.runtime import session_from_file
from tests.engine.users_model import SIZE, random_objective, smooth_chips, user_spec


def results(extractor: Extractor) -> list[np.ndarray]:
    """Return what an extractor computes, at two batch sizes."""
    found = []
    size, features = extractor.spec.size, extractor.spec.embedding
    for count in (1, 2):
        rng = np.random.default_rng(count)
        chips, goal = smooth_chips(rng, count, size), random_objective(rng, count, features)
        step = extractor.step(chips, goal)
        found += [extractor.embed(chips), step.losses, step.embeddings, step.gradient]
    return found


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all((a == b).all() for a, b in zip(one, other, strict=True))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of what is differentiated, as it happens."""
    names: list[str] = []

    def counted(model: onnx.ModelProto, chips: str, features: str) -> StepGraph:
        names.append(features)
        return step_graph(model, chips, features)

    monkeypatch.setattr("photocloak.engine.extractors.onnx_extractor.step_graph", counted)
    return names


@pytest.mark.parametrize("name", load_specs())
def test_kept_models_compute_bit_for_bit_the_same(name: str, tmp_path: Path) -> None:
    """Else a photo cloaked twice would come out twice, and the difference could be averaged."""
    spec = load_specs()[name]
    plain = results(load_extractor(spec, threads=1))
    assert same(plain, results(load_extractor(spec, threads=1, cache=tmp_path)))
    assert same(plain, results(load_extractor(spec, threads=1, cache=tmp_path)))


def start(tmp_path: Path) -> list[np.ndarray]:
    """Load a small model by way of the cache, as a new process would."""
    spec = user_spec(tmp_path, "plain")
    return results(load_extractor(spec, threads=1, cache=tmp_path / "kept"))


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "kept").iterdir())


def test_the_second_start_makes_nothing_and_needs_no_onnx(tmp_path: Path, made: list[str]) -> None:
    first = start(tmp_path)
    assert same(first, start(tmp_path))
    assert len(made) == 1
    code = (
        "import sys, photocloak.engine as e; from pathlib import Path; import numpy as np\n"
        "from photocloak.engine.extractors import read_spec\n"
        "one = e.load_extractor(read_spec(Path(sys.argv[1])), threads=1, cache=Path(sys.argv[2]))\n"
        f"one.embed(np.zeros((1, 3, {SIZE}, {SIZE}), np.float32)); assert 'onnx' not in sys.modules"
    )
    arguments = [str(tmp_path / "mine.toml"), str(tmp_path / "kept")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)


def test_what_was_opened_ahead_is_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, opened = start(tmp_path), []
    opens = session_from_file

    def counted(source: Path, **how: Any) -> Any:
        opened.append(source)
        time.sleep(0.05)  # the first call comes while it is opened
        return opens(source, **how)

    monkeypatch.setattr(module, "session_from_file", counted)
    extractor = load_extractor(user_spec(tmp_path, "plain"), threads=1, cache=tmp_path / "kept")
    ensemble = Ensemble({"plain": extractor})
    for _ in range(2):
        ensemble.open_ahead("forward", ["plain"])
        ensemble.open_ahead("step", ["plain"])
    assert same(first, results(extractor))
    assert len(opened) == 2


def test_what_cannot_be_opened_ahead_is_told_when_it_is_needed(tmp_path: Path) -> None:
    start(tmp_path)
    spec = user_spec(tmp_path, "plain")
    extractor = load_extractor(spec, threads=1, cache=tmp_path / "kept")
    shutil.rmtree(tmp_path / "kept")
    spec.model.unlink()
    Ensemble({"plain": extractor}).open_ahead("forward", ["plain"])
    with pytest.raises(ModelError, match="cannot be read"):
        results(extractor)


def test_entries_are_the_users_alone(tmp_path: Path) -> None:
    start(tmp_path)
    paths = [tmp_path / "kept", *(tmp_path / "kept").rglob("*")]
    assert len(entries(tmp_path)) == 2
    assert {oct(p.stat().st_mode & 0o777) for p in paths if p.is_dir()} == {"0o700"}
    assert {oct(p.stat().st_mode & 0o777) for p in paths if p.is_file()} == {"0o600"}


@pytest.mark.parametrize("name", ["model.onnx", "weights.bin", "crc32"])
@pytest.mark.parametrize("how", ["cut short", "changed", "missing"])
def test_a_damaged_entry_is_made_again(
    tmp_path: Path, made: list[str], name: str, how: str
) -> None:
    first = start(tmp_path)
    for path in (tmp_path / "kept").rglob(name):
        data = path.read_bytes()
        half = len(data) // 2
        if how == "missing":
            path.unlink()
        else:
            rest = b"" if how == "cut short" else bytes([data[half] ^ 1]) + data[half + 1 :]
            path.write_bytes(data[:half] + rest)
    assert same(first, start(tmp_path))
    assert len(made) == 2
    assert same(first, start(tmp_path))
    assert len(made) == 2


def test_what_an_entry_depends_on_is_in_its_key(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tmp_path)
    monkeypatch.setattr(module, "_environment", lambda: ("another runtime",))
    start(tmp_path)
    assert len(made) == 2
    spec = user_spec(tmp_path, "plain")
    keys = {
        module.key_of(one, kind, "cpu")
        for one in (spec, replace(spec, order="rgb"), replace(spec, sha256="0" * 64))
        for kind in ("forward", "step")
    }
    assert len(keys) == 6


@pytest.mark.parametrize("trouble", ["a file", "a folder in a file", "read-only"])
def test_without_a_usable_folder_it_works_all_the_same(tmp_path: Path, trouble: str) -> None:
    kept = tmp_path / "kept"
    spec = user_spec(tmp_path, "plain")
    plain = results(load_extractor(spec, threads=1))
    if trouble == "read-only":
        kept = Path("/proc/photocloak")  # root may write anywhere else
    else:
        kept.write_text("in the way")
        kept = kept / "below" if trouble == "a folder in a file" else kept
    assert same(plain, results(load_extractor(spec, threads=1, cache=kept)))


def test_a_full_disk_only_costs_time(tmp_path: Path) -> None:
    """A process that may not write more than 64 KB to any file stands for a disk that is full."""
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from photocloak.engine import load_extractor, load_specs
spec = load_specs()["mobileface"]
chips = np.full((1, 3, spec.size, spec.size), 99, np.float32)
one = load_extractor(spec, threads=1, cache=Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
sys.stdout.buffer.write(one.embed(chips).tobytes())
"""
    kept = tmp_path / "kept"
    ran = subprocess.run([sys.executable, "-c", code, str(kept)], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    spec = load_specs()["mobileface"]
    chips = np.full((1, 3, spec.size, spec.size), 99, np.float32)
    plain = load_extractor(spec, threads=1).embed(chips)
    assert ran.stdout == plain.tobytes()
    assert not list(kept.iterdir())


def test_old_and_half_made_entries_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path)
    young = set(entries(tmp_path))
    for name, age in (("gone", 90 * 86400), ("new-dead", 7200), ("used", 86400), ("new-now", 5)):
        folder = tmp_path / "kept" / name
        folder.mkdir()
        (folder / "weights.bin").write_bytes(b"0" * 50_000)
        os.utime(folder, (time.time() - age,) * 2)
    shutil.rmtree(sorted(young)[0])
    start(tmp_path)
    assert {one.name for one in entries(tmp_path)} == {one.name for one in young} | {
        "used",
        "new-now",
    }
    monkeypatch.setattr(module, "LARGEST", 40_000)
    shutil.rmtree(sorted(young)[1])
    start(tmp_path)
    assert "used" not in {one.name for one in entries(tmp_path)}
    assert young & set(entries(tmp_path))


def test_an_entry_of_somebody_else_is_not_trusted(tmp_path: Path, made: list[str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    start(tmp_path)
    for path in (tmp_path / "kept").rglob("*"):
        os.chown(path, 12345, 12345)
    start(tmp_path)
    assert len(made) == 2


def test_what_others_make_meanwhile_is_in_nobodys_way(tmp_path: Path) -> None:
    """A first start opens models in several threads, and an album's processes start together."""
    over = threading.Event()

    def make() -> None:
        for number in range(10**6):
            place = tmp_path / f"new-{number % 7}"
            place.mkdir()
            (place / "model.onnx").touch()
            place.rename(tmp_path / "made")
            shutil.rmtree(tmp_path / "made")
            if over.is_set():
                return

    other = threading.Thread(target=make)
    other.start()
    try:
        for _ in range(300):
            module.ModelCache(tmp_path)._tidy()
    finally:
        over.set()
        other.join()
