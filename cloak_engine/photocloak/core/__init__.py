"""What engine, exporters and plugin all stand on: the error tree and the shipped manifests."""

from photocloak.core.errors import (
    ConfigError,
    ExitCode,
    InputError,
    ModelError,
    OutputError,
    PhotocloakError,
    why,
)
from photocloak.core.manifests import manifest_root

__all__ = [
    "ConfigError",
    "ExitCode",
    "InputError",
    "ModelError",
    "OutputError",
    "PhotocloakError",
    "manifest_root",
    "why",
]
