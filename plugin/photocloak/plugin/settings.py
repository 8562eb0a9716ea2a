"""The user's settings: defaults < settings.toml < flags. Only the plugin reads them."""

import difflib
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from photocloak.core import ConfigError

NoFace = Literal["hold", "copy"]


@dataclass(frozen=True)
class Settings:
    """What a run does unless it is told otherwise.

    Attributes:
        mode: a row of `manifests/modes.toml`.
        preset: a metadata policy, shipped or the user's own.
        no_face: what becomes of a photo without a face: held back, or written as it is.
        match_targets: choose targets of similar apparent age, sex and skin tone.
        threads: threads of one model run; 0 leaves it to the runtime.
        device: execution provider of the models, "cpu" or "cuda".

    """

    mode: str = "balanced"
    preset: str = "keep"
    no_face: NoFace = "hold"
    match_targets: bool = True
    threads: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check what the types cannot say; unknown modes and presets are found when loaded."""
        if self.no_face not in get_args(NoFace):
            raise ConfigError(f"no_face is {self.no_face!r}; it must be 'hold' or 'copy'.")
        if self.threads < 0:
            raise ConfigError(f"threads is {self.threads}; it must be 0 (automatic) or more.")

    def with_flags(self, **flags: Any) -> "Settings":
        """Return these settings with every flag that was given, that is, is not None."""
        return replace(self, **{key: value for key, value in flags.items() if value is not None})


def load_settings(path: Path) -> Settings:
    """Read the settings file; a missing one means the defaults.

    Raises:
        ConfigError: unreadable, not TOML, an unknown key, or a value of the wrong type.

    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}.") from error
    _check(table, path)
    try:
        return Settings(**table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _check(table: dict[str, Any], path: Path) -> None:
    """Refuse unknown keys, naming the nearest valid one, and values of the wrong type."""
    defaults = {field.name: field.default for field in fields(Settings)}
    for key, value in table.items():
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, n=1, cutoff=0.0)[0]
            raise ConfigError(f"{path}: there is no setting {key!r}; did you mean {near!r}?")
        wanted = type(defaults[key])
        if type(value) is not wanted:
            raise ConfigError(f"{path}: {key} is {value!r}; it must be a {wanted.__name__}.")
