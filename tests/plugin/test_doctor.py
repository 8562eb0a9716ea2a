"""The doctor finds what is amiss, and says so with the exit code that a run would have."""

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from photocloak.core import manifest_root
from photocloak.engine import TargetLibrary, runtime
from photocloak.plugin import Folders
from photocloak.plugin.main import run
from tests.engine.extractors.test_devices import list_cuda
from tests.plugin.json_schema import conforms

Report = dict[str, dict[str, object]]


def examine(capsys: pytest.CaptureFixture[str]) -> tuple[int, Report]:
    code = run(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    conforms("examination", report)
    return int(code), report


def add_extractor(folders: Folders, name: str, sha256: str | None = None) -> None:
    """Give the user an extractor of their own: SFace under another name."""
    shipped = manifest_root() / "extractors" / "sface.toml"
    text = shipped.read_text("utf-8").replace('name = "sface"', f'name = "{name}"')
    text = text.replace("../", f"{manifest_root()}/")
    if sha256 is not None:
        lines = (line for line in text.splitlines() if not line.startswith("sha256"))
        text = "\n".join([f'sha256 = "{sha256}"', *lines])
    place = folders.config / "extractors" / f"{name}.toml"
    place.parent.mkdir(parents=True)
    place.write_text(text)


def test_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    code, report = examine(capsys)
    assert (code, {one["ok"] for one in report.values()}) == (0, {True})
    assert metadata.version("photocloak") in str(report["photocloak"]["detail"])
    assert "CPUExecutionProvider" in str(report["onnxruntime"]["detail"])
    for name in ("dlib", "facelib", "hse", "mobileface", "mobilefacenet", "sface"):
        assert "sha256" in str(report[f"extractor {name}"]["detail"])
    assert {"torch", "settings", "config folder", "data folder", "people"} <= report.keys()
    assert run(["doctor"]) == 0
    assert all(line.startswith("ok ") for line in capsys.readouterr().out.splitlines())


def test_a_tampered_model(
    folders: Folders, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_extractor(folders, "mine", sha256="0" * 64)
    code, report = examine(capsys)
    assert (code, report["extractor mine"]["ok"]) == (6, False)
    assert report["extractor sface"]["ok"]
    assert run(["cloak", __file__, "-o", "out"]) == 3, "it has no targets either"
    monkeypatch.setattr(TargetLibrary, "require", lambda *_: None)
    assert run(["cloak", __file__, "-o", "out"]) == 6
    assert "sface.onnx" in capsys.readouterr().err


def test_an_extractor_without_targets(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    add_extractor(folders, "mine")
    code, report = examine(capsys)
    assert code == 3
    assert "targets build" in str(report["target library"]["detail"])


def test_a_manifest_with_a_mistake(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    place = folders.config / "extractors" / "mine.toml"
    place.parent.mkdir(parents=True)
    place.write_text("nmae = 1")
    code, report = examine(capsys)
    assert code == 3 and "mine.toml" in str(report["extractors"]["detail"])


@pytest.mark.parametrize(
    ("installed", "said"),
    [({"onnxruntime", "onnxruntime-gpu"}, "uninstall"), (set(), "-m pip install 'onnxruntime>=")],
)
def test_both_runtimes_or_none(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    installed: set[str],
    said: str,
) -> None:
    versions = dict.fromkeys(installed, "1.30")
    monkeypatch.setattr(runtime, "installed_version", versions.get)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)  # as in a new process
    if not installed:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, report = examine(capsys)
    assert (code, report["onnxruntime"]["ok"]) == (6, False)
    assert said in str(report["onnxruntime"]["detail"])
    assert run(["cloak", __file__, "-o", "out"]) == 6
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("device", "starts", "said"),
    [
        ("cpu", True, "run on the CPU"),
        ("cuda", True, "run with CUDA"),
        ("auto", True, "run with CUDA"),
        ("cuda", False, "check the NVIDIA driver, and that onnxruntime-gpu is installed"),
        ("auto", False, "run on the CPU: CUDA does not start"),
    ],
)
def test_where_the_models_run(
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    device: str,
    starts: bool,
    said: str,
) -> None:
    folders.config.mkdir(parents=True)
    folders.settings.write_text(f'device = "{device}"')
    monkeypatch.setattr(runtime, "starts_cuda", lambda: starts)
    code, report = examine(capsys)
    assert (code, report["device"]["ok"]) == (0, True) and said in str(report["device"]["detail"])


def test_cuda_that_is_only_listed_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not runtime.starts_cuda()
    list_cuda(monkeypatch, fails=True)
    assert runtime.has_cuda("auto") and not runtime.starts_cuda()


def test_folders_that_cannot_be_written_to(
    folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    folders.data.parent.mkdir(parents=True)
    folders.data.write_text("a file")
    code, report = examine(capsys)
    assert (code, report["data folder"]["ok"]) == (7, False)


def test_targets_need_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["targets", "build", str(tmp_path / "none")]) == 3
    assert "is not a folder" in capsys.readouterr().err
    assert run(["targets", "build", str(tmp_path)]) == 3
    assert "a library needs 20 of each apparent sex" in capsys.readouterr().err
