"""Where the shipped data lies: the repository's own `manifests/`, else the wheel's copy of it."""

from functools import cache
from pathlib import Path


@cache
def manifest_root() -> Path:
    """Return the folder with extractors, models, presets, targets and host files.

    In a checkout (plain or editable install) that is the repository's `manifests/`, so that an
    edit takes effect without reinstalling; in an installed wheel it is `photocloak/manifests`.
    """
    package = Path(__file__).resolve().parents[1]
    repository = package.parents[1]
    if (repository / "manifests").is_dir() and (repository / "pyproject.toml").is_file():
        return repository / "manifests"
    return package / "manifests"
