"""What `photocloak doctor` looks at. Each examination says what it found, or what is wrong."""

import platform
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from photocloak.core import ExitCode, OutputError, PhotocloakError, manifest_root
from photocloak.plugin.bridges import NAMES, load_bridge
from photocloak.plugin.settings import load_settings
from photocloak.plugin.storage.folders import Folders, why_not_writable

LIBRARIES = ("numpy", "onnx", "pillow", "pillow-heif", "pyexiv2")


@dataclass(frozen=True)
class Diagnosis:
    """One examination's result; `code` is the exit status of a problem, None: all is well."""

    subject: str
    detail: str
    code: ExitCode | None = None

    def as_json(self) -> dict[str, object]:
        """Return the finding as it stands in `--json`."""
        return {"ok": self.code is None, "detail": self.detail}


def examine(folders: Folders) -> list[Diagnosis]:
    """Make all examinations; one that fails does not keep the others from being made."""
    from photocloak.plugin.assembly import specs

    examinations: dict[str, Callable[[], str]] = {
        "photocloak": _versions,
        "onnxruntime": _runtime,
        "torch": _torch,
        "settings": partial(_settings, folders),
        "device": partial(_device, folders),
        "config folder": partial(_folder, folders.config),
        "data folder": partial(_folder, folders.data),
        "people": partial(_people, folders),
        "detector": _detector,
        **{name: partial(_bridge, name, folders) for name in NAMES},
    }
    findings = [_made(*item) for item in examinations.items()]
    try:
        models = specs(folders)
    except PhotocloakError as error:
        return [*findings, Diagnosis("extractors", str(error), error.exit_code)]
    for name, spec in models.items():
        findings.append(_made(f"extractor {name}", partial(_model, spec.model, spec.sha256)))
    return [*findings, _made("target library", partial(_library, folders, models))]


def _made(subject: str, examination: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(subject, examination())
    except PhotocloakError as error:
        return Diagnosis(subject, str(error), error.exit_code)


def _versions() -> str:
    installed = (f"{name} {metadata.version(name)}" for name in LIBRARIES)
    own = metadata.version("photocloak")
    return f"{own} on Python {platform.python_version()} with {', '.join(installed)}"


def _runtime() -> str:
    from photocloak.engine.runtime import require_onnxruntime

    runtime = require_onnxruntime()
    return f"{runtime.__version__} with {', '.join(runtime.get_available_providers())}"


def _torch() -> str:
    if find_spec("torch") is None:
        return "optional, not installed: only extractors of your own with unusual operators need it"
    return metadata.version("torch")


def _settings(folders: Folders) -> str:
    load_settings(folders.settings)
    state = "valid" if folders.settings.exists() else "not there, so the defaults hold"
    return f"{folders.settings}: {state}"


def _device(folders: Folders) -> str:
    """Say where the models run: a provider may be listed and not start."""
    from photocloak.engine.runtime import no_cuda, starts_cuda

    device = load_settings(folders.settings).device
    if device == "cpu":
        return "the models run on the CPU"
    if starts_cuda():
        return f"the models run with CUDA (device = {device!r})"
    return no_cuda() if device == "cuda" else "the models run on the CPU: CUDA does not start"


def _folder(folder: Path) -> str:
    if reason := why_not_writable(folder):
        raise OutputError(f"{folder}: {reason}; make it writable for you.")
    return str(folder)


def _people(folders: Folders) -> str:
    from photocloak.plugin.people.roster import Roster
    from photocloak.plugin.storage.database import Database

    if not folders.database.exists():
        return "nobody yet"
    everybody = Roster(Database(folders.database)).everybody()
    unnamed = sum(person.name is None for person in everybody)
    return f"{len(everybody)}, {unnamed} of them unnamed"


def _bridge(name: str, folders: Folders) -> str:
    from photocloak.plugin.bridges.base import state

    return state(load_bridge(name), folders)


def _detector() -> str:
    from photocloak.engine.detection.detector import Detector

    Detector()
    return "loads"


def _model(path: Path, pinned: str) -> str:
    from photocloak.engine.extractors.weights import read_model

    read_model(path, pinned)
    return f"{path.name}, sha256 {pinned[:12]}…, {path.stat().st_size / 1e6:.1f} MB"


def _library(folders: Folders, extractors: Collection[str]) -> str:
    from photocloak.engine.targets.library import TargetLibrary
    from photocloak.plugin.assembly import library_file

    path = library_file(folders)
    library = TargetLibrary.load(path)
    library.require(extractors)
    whose = "shipped" if path.is_relative_to(manifest_root()) else "your own"
    return f"{len(library.targets)} targets, {whose}"
