"""What engine, exporters and plugin all stand on: the error tree, the shipped manifests, hints."""

from photocloak.core.errors import (
    ConfigError,
    ExitCode,
    InputError,
    ModelError,
    OutputError,
    PhotocloakError,
    UnreadError,
    why,
)
from photocloak.core.installing import install_hint, installed_version, replace_hint
from photocloak.core.manifests import manifest_root

__all__ = [
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
]
