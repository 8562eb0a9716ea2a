"""Where the user's settings and data lie; the XDG variables move them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from photocloak.core import OutputError, why


@dataclass(frozen=True)
class Folders:
    """The two folders that belong to the user.

    Attributes:
        config: settings.toml, and the user's own `extractors/` and `presets/`.
        data: the database of people and outputs, rebuilt target libraries; mode 0700.

    """

    config: Path
    data: Path

    @classmethod
    def of_user(cls) -> "Folders":
        """Return the folders of whoever runs this ($XDG_CONFIG_HOME, $XDG_DATA_HOME)."""
        return cls(
            platformdirs.user_config_path("photocloak"), platformdirs.user_data_path("photocloak")
        )

    @property
    def settings(self) -> Path:
        """The settings file; it need not exist."""
        return self.config / "settings.toml"

    @property
    def database(self) -> Path:
        """The SQLite file with people and outputs; see `database`."""
        return self.data / "photocloak.db"


def models_folder() -> Path:
    """Return where models that are ready to run are kept ($XDG_CACHE_HOME)."""
    return platformdirs.user_cache_path("photocloak") / "models"


def make_private(folder: Path) -> Path:
    """Create `folder` for the user alone (0700) and return it; OutputError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise OutputError(
            f"{folder}: photocloak's data folder cannot be made private to you "
            f"({error.strerror}); make it yours, or point XDG_DATA_HOME elsewhere."
        ) from error
    return folder


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Make the folder that an output goes to; if the block fails, what was made goes again.

    Raises:
        OutputError: it cannot be made.

    """
    new = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: the output folder cannot be made: "
                f"{why(error, naming=why_not_writable(folder) is None)}."
            ) from error
        yield folder
    except BaseException:
        for place in new:
            with suppress(OSError):  # somebody has put something there
                place.rmdir()
        raise


def why_not_writable(folder: Path) -> str | None:
    """Say in a few words why no file can be put into `folder` (existing or to be made), or None.

    Looks only: nothing is created, so that a photo that is held back leaves no trace.
    """
    for place in (folder, *folder.parents):
        if not os.path.lexists(place):
            continue
        if not os.path.isdir(place):  # noqa: PTH112 (Path's raises where there is no permission)
            return f"{place} is not a folder"
        if not os.access(place, os.W_OK | os.X_OK):
            return f"{place} may not be written to"
        with suppress(OSError):
            room = os.statvfs(place)  # of which some is for root alone
            if room.f_blocks and not (room.f_bfree if os.geteuid() == 0 else room.f_bavail):
                return "the disk is full"
        return None
    return None
