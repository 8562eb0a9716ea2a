"""What all tests share: a user of their own, the lab, and no skipping where CI must not skip."""

import os
import shutil
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from photocloak.plugin import Folders

# Read once, at ONNX Runtime's import: in no test, and in no process that a test starts, does its
# telemetry come to life. `cache` looks whether it did all the same.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# A shell starts what it runs in the background with Ctrl-C ignored, and so would be every process
# that a test starts to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)

NO_TORCH = "PyTorch is not installed"
NO_MOUNT = "this machine does not mount"

settings.register_profile("busy machines", deadline=None)
settings.load_profile("busy machines")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the run's cache folder: it holds nothing of a person, and 250 MB of ready models."""
    folder = tmp_path_factory.mktemp("cache")
    yield folder
    left = list(folder.rglob("*onnxruntime*"))
    shutil.rmtree(folder)
    assert not left, f"ONNX Runtime's telemetry ran in a test, or in what a test started: {left}"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Give every test, and every process it starts, its own config and data folders."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return Folders.of_user()


@pytest.fixture(scope="session")
def lab() -> Path:
    """Return the folder with photos to test with, or skip."""
    place = os.environ.get("PHOTOCLOAK_LAB")
    if not place:
        pytest.skip("PHOTOCLOAK_LAB is not set: no photos to test with")
    return Path(place)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked `torch` where there is none."""
    if item.get_closest_marker("torch") and find_spec("torch") is None:
        pytest.skip(NO_TORCH)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With PHOTOCLOAK_NO_SKIP, fail the run if anything made a test skip but what lacks by right.

    PyTorch is missing where a user's environment is tested, and containers may not mount.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("PHOTOCLOAK_NO_SKIP") or reporter is None:
        return
    skipped = (report.longrepr for report in reporter.stats.get("skipped", []))
    unwanted = [
        f"{path}: {reason}"
        for path, _, reason in skipped
        if NO_TORCH not in reason and NO_MOUNT not in reason
    ]
    if unwanted:
        reporter.write_line("these may not skip here:", red=True)
        for one in unwanted:
            reporter.write_line(f"  {one}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
