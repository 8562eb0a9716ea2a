"""A GIMP 3 to test in: a home of its own, photos, and scripts that run in it without a screen.

Behind the plug-in stands `stand_in.py`, which does what a script orders, or lets the command do it.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.core import manifest_root
from photocloak.exporters.containers import chunks
from photocloak.exporters.formats import png_pixels

PHOTOCLOAK = Path(sys.executable).with_name("photocloak")
HERE = Path(__file__).parent
CMYK = "/usr/share/color/icc/ghostscript/default_cmyk.icc"
"""A printer's profile, which comes with GIMP."""

# What a script finds in GIMP: `call` a procedure, `tell` the test something.
HEAD = """
import json, os
from pathlib import Path
import gi
gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio, GLib
told = open({told!r}, "w")
def tell(**what):
    told.write(json.dumps(what) + "\\n"); told.flush()
def call(name, **values):
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    for key, value in values.items():
        key = key.replace("_", "-")
        config.set_property(key, Gio.File.new_for_path(value) if key == "file" else value)
    status = procedure.run(config).index(0)
    return "" if status == Gimp.PDBStatusType.SUCCESS else Gimp.get_pdb().get_last_error()
def orders(**what):
    Path({root!r}, "orders.json").write_text(json.dumps(what))
def cloak(image, **more):
    return call("plug-in-photocloak-cloak-faces", image=image, **dict(dict(mode="subtle"), **more))
def export(image, file, **more):
    more = dict(dict(mode="subtle"), **more)
    return call("plug-in-photocloak-export", image=image, file=str(file), **more)
def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
def proof(image):
    "Have it shown as it would be printed."
    profile = Gimp.ColorProfile.new_from_file(Gio.File.new_for_path({cmyk!r}))
    assert image.set_simulation_profile(profile) and profile.is_cmyk()
def keep(name, image, form):
    "Keep the visible picture, for numpy outside."
    copy = image.duplicate()
    if copy.get_color_profile() and copy.get_base_type() == Gimp.ImageBaseType.RGB:
        copy.set_color_profile(Gimp.ColorProfile.new_rgb_srgb())  # numbers, not colours
    buffer = copy.flatten().get_buffer()
    pixels = buffer.get(buffer.get_extent(), 1.0, form, Gegl.AbyssPolicy.CLAMP)
    copy.delete()
    Path({root!r}, name).write_bytes(pixels)
def keep_all(name, image, form):
    "Keep what is visible with the topmost layer and without it, and the layer's mask; describe it."
    layer = image.get_layers()[0]
    keep(name + ".cloaked", image, form)
    layer.set_visible(False)
    keep(name + ".clean", image, form)
    layer.set_visible(True)
    mask = layer.get_mask()
    buffer = mask.get_buffer()
    Path({root!r}, name + ".mask").write_bytes(
        buffer.get(buffer.get_extent(), 1.0, "Y u8", Gegl.AbyssPolicy.CLAMP))
    _, x, y = layer.get_offsets()
    names = [one.get_name() for one in image.get_layers()]
    return dict(layers=names, at=[x, y, layer.get_width(), layer.get_height()],
        precision=image.get_precision().value_nick, base=image.get_base_type().value_nick)
def told_of(name, image, form="R'G'B' u8", **more):
    "Cloak, and tell how that went."
    error = cloak(image, **more)
    tell(name=name, error=error, **(keep_all(name, image, form) if not error else dict()))
"""


class Host:
    """A user with GIMP 3 and its plug-in.

    Attributes:
        left: the files that a run has left behind, but for what the test itself keeps.
        installed: the plug-in's main file, as it was put there.

    """

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.photos = root, root / "home", root / "photos"
        self.left: set[str] = set()
        self.installed = ""
        self.environ = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",  # GIMP runs its plug-ins by the first Python there
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
        }
        for place in (self.home, self.photos):
            place.mkdir()

    def install(self) -> None:
        """Install the plug-in, and put the stand-in where it looks for the command."""
        self.photocloak("install", "gimp")
        shutil.copy2(HERE / "stand_in.py", self.root)
        program = self.root / "stand-in"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {self.root}/stand_in.py "$@"\n')
        program.chmod(0o755)
        main = self.plugin / "photocloak.py"
        self.installed = main.read_text()
        main.write_text(self.installed.replace(str(PHOTOCLOAK), str(program)))

    @property
    def plugin(self) -> Path:
        """The plug-in's folder, in that of the GIMP that is there."""
        (place,) = self.home.glob(".config/GIMP/3.*/plug-ins/photocloak")
        return place

    def photocloak(self, *words: str | Path) -> str:
        """Run the command as this user."""
        command = [PHOTOCLOAK, *words]
        done = subprocess.run(command, env=self.environ, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    def play(self, script: str, seconds: int = 580) -> list[dict[str, Any]]:
        """Run Python in GIMP; return what it told."""
        told, path = self.root / "told", self.root / "script.py"
        told.unlink(missing_ok=True)
        path.write_text(HEAD.format(told=str(told), root=str(self.root), cmyk=CMYK) + script)
        done = subprocess.run(
            [
                "gimp-console",
                "--no-interface",
                "--batch-interpreter=python-fu-eval",
                f"--batch=exec(open({str(path)!r}).read())",
                "--quit",
            ],
            env=self.environ,
            timeout=seconds,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert told.exists(), done.stdout + done.stderr
        return [json.loads(line) for line in told.read_text().splitlines()]

    def files(self) -> set[str]:
        """Return what lies in the user's home and in the places for temporary files."""
        places = (self.home, Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
        walks = (os.walk(place) for place in places)
        return {
            str(Path(at, name)) for walk in walks for at, _folders, names in walk for name in names
        }


def portrait() -> NDArray[np.uint8]:
    with Pillow.open(manifest_root() / "demo" / "astronaut.png") as picture:
        return np.asarray(picture.convert("RGB"))


def png(path: Path, samples: NDArray[Any], icc: bytes | None = None) -> None:
    """Write 16-bit samples."""
    height, width, bands = samples.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[bands]
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = [chunks.Chunk(b"IHDR", head)]
    if icc is not None:
        parts.append(chunks.Chunk(b"iCCP", b"P3\0\0" + zlib.compress(icc)))
    parts += [chunks.Chunk(b"IDAT", png_pixels.encode(samples)), chunks.Chunk(b"IEND", b"")]
    path.write_bytes(chunks.join(parts))
