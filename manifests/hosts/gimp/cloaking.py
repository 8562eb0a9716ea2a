"""What the plug-in does without GIMP: has a photo cloaked in a private folder, says how it went.

Part of photocloak, GPL-3.0-or-later. Imports nothing of GIMP, so that it can be tested anywhere.
"""

import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

PASSED = re.compile(r"(HOME|PATH|USER|LOGNAME|SHELL|LANG|LANGUAGE|TZ|TMPDIR|(LC|XDG|CUDA)_.*)")
"""What the child gets of the environment. GIMP sets PYTHON*, GI_*, GIMP*, GEGL*, LD_* and others
for its own Python and libraries; photocloak has its own."""

PATIENCE = (
    0.5  # seconds between two signs of life to GIMP; without them nobody would notice its end
)

ENDINGS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".avif": "AVIF",
    ".heic": "HEIC",
}
OWN = ("JPEG", "PNG", "TIFF", "WebP")
"""The formats that GIMP hands over for presets that keep the format."""

REMEDIES = {
    "no_face": "Faces must be upright and not too small. If there is none, there is nothing to do.",
    "nobody_named": "Your settings cloak only people with a name (faces = me).",
    "uncertain": "Crop it away or paint over it, or select the other faces and repeat.",
    "too_weak": "Choose a stronger mode, or another photo.",
}


class CloakError(Exception):
    """Says in words why nothing was cloaked, and what can be done."""


@dataclass(frozen=True)
class Wish:
    """What the user has chosen.

    Attributes:
        mode: how much may be changed.
        preset: what metadata and size the file keeps.
        person: whom the picture shows; empty: not said.

    """

    mode: str
    preset: str
    person: str = ""


def environment(everything: Mapping[str, str]) -> dict[str, str]:
    """Return what of GIMP's environment photocloak may see."""
    return {name: value for name, value in everything.items() if PASSED.fullmatch(name)}


def private_place(everything: Mapping[str, str]) -> Path:
    """Return the folder for the photos under way; for the user alone."""
    cache = everything.get("XDG_CACHE_HOME", "")
    place = Path(cache) if cache.startswith("/") else Path(everything["HOME"], ".cache")
    return place / "photocloak" / "gimp"


def command(program: str, photo: Path, output: Path, wish: Wish) -> list[str]:
    """Return the command that cloaks `photo` into the folder `output`."""
    words = [program, "cloak", "--json", "--progress=json", "--no-face=hold"]
    words += [f"--mode={wish.mode}", f"--preset={wish.preset}"]
    if wish.person.strip():
        words.append(f"--person={wish.person.strip()}")
    return [*words, "-o", str(output), "--", str(photo)]


class Keeper:
    """A private folder, as long as the block runs."""

    def __init__(self, script: Path, everything: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(script), str(private_place(everything))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(everything),
            start_new_session=True,
        )
        self._rest = b""
        first = self._line(lambda: None)
        if first is None:
            self.__exit__()
            raise CloakError(
                "No private folder for the photo can be made; GIMP's terminal says why."
            )
        self.folder = Path(json.loads(first)["folder"])

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        """End the keeper, which removes the folder; what still runs is killed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def cloak(
        self,
        words: Sequence[str],
        on_share: Callable[[float], object],
        publish: Path | None = None,
    ) -> dict[str, Any]:
        """Run a command, and put its output at `publish`; return what it told of the photo.

        `on_share` is called with the share that is done, and every half second at least.

        Raises:
            CloakError: held back, or failed.

        """
        assert self._process.stdin is not None
        path = None if publish is None else str(publish)
        self._process.stdin.write(json.dumps({"command": words, "publish": path}).encode() + b"\n")
        self._process.stdin.flush()
        share = 0.0
        while line := self._line(partial(on_share, share)):
            event = json.loads(line)
            if "code" in event:
                return judge(event, self.folder)
            share = event.get("share", share)
            on_share(share)
        raise CloakError("photocloak was stopped.")

    def _line(self, meanwhile: Callable[[], object]) -> bytes | None:
        """Return the next line; None where there are no more."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if not select.select([pipe], [], [], PATIENCE)[0]:
                meanwhile()
                continue
            text = os.read(pipe, 65536)
            if not text:
                return None
            self._rest += text
        line, self._rest = self._rest.split(b"\n", 1)
        return line


def judge(told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what was told of a photo that is cloaked; anything else is a CloakError."""
    outcome, code = told["outcome"], told["code"]
    if told["done"]:
        return dict(outcome)
    if outcome is None and (code == 127 or told["said"].startswith("ModuleNotFoundError:")):
        raise CloakError(
            f"{told['said']}: photocloak cannot be started, perhaps since an update of the system. "
            "Install it again, run `photocloak install gimp` and restart GIMP."
        )
    if code < 0:
        raise CloakError(f"photocloak was killed (signal {-code}); memory may have run out.")
    held = outcome if outcome is not None and outcome["output"] is None else {}
    words = held.get("reason") or told["said"] or f"photocloak ended with status {code}"
    remedy = REMEDIES.get(held.get("status", ""), "")
    raise CloakError(f"{_plain(words, folder).rstrip('.')}. {remedy}".rstrip())


def _plain(text: str, folder: Path) -> str:
    """Take out what means nothing in a dialog: who speaks, and where the private photo lay."""
    text = text.removeprefix("photocloak: ").removeprefix("Error: ")
    return re.sub(rf"({re.escape(str(folder))}/)?photo\.\w+: ", "", text)


def handed_over(destination: Path, preset: str, preset_format: str) -> str:
    """Return the format that GIMP has to hand over so that `destination` gets what its name says.

    Raises:
        CloakError: the preset writes another format, or the name has no ending that can be written.

    """
    wanted = ENDINGS.get(destination.suffix.lower())
    if preset_format:
        fitting = [ending for ending, name in ENDINGS.items() if name == preset_format]
        if wanted != preset_format:
            raise CloakError(
                f"The preset {preset} writes {preset_format}: end the name with {fitting[0]}, "
                "or choose another preset."
            )
        return "PNG"
    if wanted not in OWN:
        raise CloakError(
            f"{destination.name}: the preset {preset} writes what the name says; end it with .jpg, "
            ".png, .tif or .webp."
        )
    return wanted


def is_same_file(one: Path, *others: str | None) -> bool:
    """Tell whether a path leads to one of those files."""
    there = (Path(other) for other in others if other is not None)
    return any(one.exists() and other.exists() and one.samefile(other) for other in there)


def grown(box: Sequence[int], share: float) -> tuple[int, int, int, int]:
    """Return a box (x, y, width, height) with a share of its size more on each side."""
    x, y, width, height = box
    by_x, by_y = round(width * share), round(height * share)
    return x - by_x, y - by_y, width + 2 * by_x, height + 2 * by_y
