"""The user's settings: defaults < settings.toml < flags. Only the plugin reads them."""

import difflib
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from photocloak.core import ConfigError

NoFace = Literal["hold", "copy"]
Faces = Literal["everyone", "me"]
Names = Literal["preset", "keep", "neutral"]
Fallbacks = Literal["hold", "blur", "pixelate", "box"]
Device = Literal["cpu", "cuda", "auto"]

PRESET_TO_PUBLISH = "web"
"""The preset of what is there to publish, where none was chosen."""


@dataclass(frozen=True)
class Settings:
    """What a run does unless it is told otherwise.

    Attributes:
        mode: a row of `manifests/modes.toml`.
        preset: a metadata policy, shipped or the user's own.
        no_face: what becomes of a photo without a face: held back, or written as it is.
        faces: whose faces to cloak: everyone's, or only those of people with a name.
        accept_weak: let weak cloaks pass, instead of trying harder and holding back.
        names: call outputs as their photos, or so that names give nothing away; "preset": as the
            preset says, and those that say nothing keep names.
        fallback: what becomes of a face that cannot be cloaked well enough: its photo is held back,
            or it is made unrecognisable.
        match_targets: choose targets of similar apparent age, sex and skin tone.
        threads: threads of one model run; 0 shares the cores out among the models.
        device: where the models run; "auto" is CUDA where there is one.
        beside: where the desktop's menus put results: a folder beside the photo, or an absolute
            path, which may begin with ~.
        watch: folders that `photocloak watch` watches; absolute, or beginning with ~.
        watch_output: where it puts the results; empty: none.

    """

    mode: str = "balanced"
    preset: str = "keep"
    no_face: NoFace = "hold"
    faces: Faces = "everyone"
    accept_weak: bool = False
    names: Names = "preset"
    fallback: Fallbacks = "hold"
    match_targets: bool = True
    threads: int = 0
    device: Device = "cpu"
    beside: str = "cloaked"
    watch: tuple[str, ...] = ()
    watch_output: str = ""

    @property
    def preset_to_publish(self) -> str:
        """The preset of what is there to publish: one that was chosen, else that for the web.

        `keep`, the default, is for going on in an editor: place, names and serials go with it.
        """
        return PRESET_TO_PUBLISH if self.preset == Settings().preset else self.preset

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
    return Settings(**table | {"watch": tuple(table.get("watch", ()))})


def _check(table: dict[str, Any], path: Path) -> None:
    """Refuse unknown keys, naming the nearest valid one, and values that a setting cannot have."""
    types = get_type_hints(Settings)
    for key, value in table.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1, cutoff=0.0)[0]
            raise ConfigError(f"{path}: there is no setting {key!r}; did you mean {near!r}?")
        if key == "watch":
            _check_folders(value, path)
            continue
        choices = get_args(types[key])
        if choices and value not in choices:
            named = ", ".join(map(repr, choices))
            raise ConfigError(f"{path}: {key} is {value!r}; it must be one of {named}.")
        if not choices and type(value) is not types[key]:
            raise ConfigError(f"{path}: {key} is {value!r}; it must be a {types[key].__name__}.")
    if table.get("threads", 0) < 0:
        raise ConfigError(f"{path}: threads is {table['threads']}; 0 means automatic.")
    if table.get("watch_output"):
        _check_folders([table["watch_output"]], path)


def _check_folders(value: Any, path: Path) -> None:
    """Refuse what is no list of folders, and folders that depend on where a command is run."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigError(f"{path}: watch is {value!r}; it must be a list of folders.")
    for one in value:
        if not one.startswith(("/", "~")):
            raise ConfigError(f"{path}: the folder {one!r} must begin with / or ~.")
