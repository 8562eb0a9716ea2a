"""What engine, exporters and plugin all stand on: the error tree and the shipped manifests."""

from photocloak.core.errors import (
    CloakTooWeakError,
    ConfigError,
    ExitCode,
    InputError,
    ModelError,
    NoFaceError,
    OutputError,
    PhotocloakError,
    why,
)
from photocloak.core.manifests import manifest_root

__all__ = [
    "CloakTooWeakError",
    "ConfigError",
    "ExitCode",
    "InputError",
    "ModelError",
    "NoFaceError",
    "OutputError",
    "PhotocloakError",
    "manifest_root",
    "why",
]
