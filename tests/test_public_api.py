"""What the packages export is a promise: a change here is a change for others."""

import tomllib
from importlib import import_module
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from photocloak.core import manifest_root

ROOT = Path(__file__).parents[1]

API = {
    "photocloak.core": {
        "ConfigError",
        "ExitCode",
        "InputError",
        "ModelError",
        "OutputError",
        "PhotocloakError",
        "UnreadError",
        "install_hint",
        "installed_version",
        "manifest_root",
        "replace_hint",
        "why",
    },
    "photocloak.engine": {
        "Attributes",
        "Cloak",
        "Cloaker",
        "Detector",
        "Dssim",
        "Embeddings",
        "Ensemble",
        "Extractor",
        "ExtractorSpec",
        "Face",
        "FaceCloak",
        "FaceEvidence",
        "FaceSpace",
        "FakeExtractor",
        "Mode",
        "Objective",
        "Step",
        "Subject",
        "Target",
        "TargetLibrary",
        "load_extractor",
        "load_mode",
        "load_modes",
        "load_specs",
        "measure",
        "target_from_photos",
    },
    "photocloak.exporters": {
        "MAX_BYTES",
        "RAW_SUFFIXES",
        "Encoded",
        "Finding",
        "Photo",
        "Policy",
        "disclosures",
        "encode",
        "format_like",
        "format_of",
        "graft",
        "hidden",
        "kinds_of",
        "load_policy",
        "policy_names",
        "prepare",
        "publish",
        "read",
        "read_bytes",
        "require_room",
        "scan",
        "suffix_like",
        "suffixes",
        "sweep",
        "usual_suffix",
        "wraps",
        "written_pixels",
    },
    "photocloak.plugin": {
        "Database",
        "Engine",
        "FaceOutcome",
        "Folders",
        "Job",
        "Outcome",
        "Outputs",
        "People",
        "Person",
        "Pipeline",
        "Roster",
        "Settings",
        "Status",
        "UserHint",
        "load_engine",
        "load_settings",
        "open_pipeline",
    },
}


@pytest.mark.parametrize("package", API)
def test_the_public_names(package: str) -> None:
    module = import_module(package)
    assert set(module.__all__) == API[package]
    assert all(getattr(module, name) is not None for name in module.__all__)


def test_installed_manifests_are_those_of_the_repository() -> None:
    """An editable install uses the repository's; a wheel must have brought the same."""
    ours, theirs = ROOT / "manifests", manifest_root()
    files = _files(ours)
    assert files == _files(theirs)
    assert all((ours / name).read_bytes() == (theirs / name).read_bytes() for name in files)


def _files(root: Path) -> set[Path]:
    """Return the files under a folder, without what Python compiled of them (GIMP's scripts)."""
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path for path in files if "__pycache__" not in path.parts}


def test_the_installed_version_and_licence_are_the_repositorys() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert version("photocloak") == project["version"]
    assert distribution("photocloak").metadata["License-Expression"] == "GPL-3.0-or-later"


def test_the_licence_is_the_gpl_3() -> None:
    assert "GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007" in (
        ROOT / "LICENSE"
    ).read_text("utf-8")
