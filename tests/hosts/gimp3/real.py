"""GIMP 3 itself with the real engine: what it shows and writes is what photocloak made.

Not collected by name, since Debian 12 has no GIMP 3: `tests/hosts/gimp3/run` runs it.
"""

import json
import struct
import subprocess
import sys
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.core import manifest_root
from photocloak.exporters.containers import chunks
from photocloak.exporters.formats import png_pixels
from tests.exporters.files import profile
from tests.hosts.gimp3.gimp import PHOTOCLOAK, Host

METADATA = (
    "-EXIF:Artist=A photographer",
    "-EXIF:GPSLatitude=54",
    "-EXIF:GPSLatitudeRef=N",
    "-XMP-dc:Rights=© Ada",
    "-XMP-iptcExt:PersonInImage=Eileen Collins",
    "-IPTC:CodedCharacterSet=UTF8",
    "-IPTC:City=Lübeck",
)
# Takes a copy of what GIMP hands over, and then is the command.
STAND_IN = """#!{python} -I
import os, shutil, sys
shutil.copy2(sys.argv[-1], {kept!r})
os.execv({command!r}, [{command!r}, *sys.argv[1:]])
"""
SIDE = 512


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


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    host = Host(tmp_path_factory.mktemp("gimp"))
    face = portrait()
    photos = host.photos
    Pillow.fromarray(face).save(photos / "a b'ü.jpg", quality=95, subsampling=0)
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", *METADATA, str(photos / "a b'ü.jpg")], check=True
    )
    Pillow.fromarray(face).convert("L").save(photos / "gray.png")
    Pillow.fromarray(face).quantize(200).save(photos / "indexed.png")
    Pillow.fromarray(np.hstack([face, face[:, ::-1]])).save(photos / "two.png")
    Pillow.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(photos / "empty.png")
    deep = face.astype(np.uint16) * 257 + np.arange(SIDE, dtype=np.uint16)[:, None, None] % 97
    png(photos / "p3.png", deep, profile("Display P3"))
    png(photos / "gray16.png", deep[..., 1:2])
    host.photocloak("install", "gimp")
    return host


def kept(host: Host, name: str, kind: type = np.uint8, bands: int = 3) -> NDArray[Any]:
    pixels = np.frombuffer((host.root / name).read_bytes(), kind)
    return pixels.reshape(SIDE, -1, bands) if bands > 1 else pixels.reshape(SIDE, -1)


CLOAKED = """
def one(name, form, change=None):
    image = load(Path({photos!r}, name))
    if change: change(image)
    error = cloak(image)
    tell(name=name, error=error, **(keep_all(name, image, form) if not error else dict()))
one("a b'\u00fc.jpg", "R'G'B' u8")
one("gray.png", "Y' u8")
one("gray16.png", "Y' u16")
one("p3.png", "R'G'B' u16")
one("indexed.png", "R'G'B' u8")
one("empty.png", "R'G'B' u8")
"""


@pytest.fixture(scope="module")
def told(host: Host) -> dict[str, dict[str, Any]]:
    before = host.files()
    answers = host.play(CLOAKED.format(photos=str(host.photos)))
    host.left = host.files() - before
    return {answer["name"]: answer for answer in answers}


@pytest.mark.parametrize(
    "name, kind, precision, base",
    [
        ("a b'ü.jpg", np.uint8, "u8-non-linear", "rgb"),
        ("gray.png", np.uint8, "u8-non-linear", "gray"),
        ("gray16.png", np.uint16, "u16-non-linear", "gray"),
        ("p3.png", np.uint16, "u16-non-linear", "rgb"),
    ],
)
def test_a_masked_layer_over_the_others(
    host: Host, told: dict[str, Any], *, name: str, kind: type, precision: str, base: str
) -> None:
    answer, bands = told[name], {"rgb": 3, "gray": 1}[base]
    assert not answer["error"]
    assert len(answer["layers"]) == 2 and answer["layers"][0] == "Cloaked (subtle)"
    assert answer["at"] == [0, 0, SIDE, SIDE]
    assert (answer["precision"], answer["base"]) == (precision, base)
    clean, cloaked = (kept(host, f"{name}.{one}", kind, bands) for one in ("clean", "cloaked"))
    mask = kept(host, f"{name}.mask", bands=1)
    changed = clean != cloaked
    changed = changed.any(axis=-1) if bands > 1 else changed
    assert set(np.unique(mask)) == {0, 255}
    assert not changed[mask == 0].any()
    assert changed[mask == 255].mean() > 0.5
    face = mask[63:211, 171:281]  # where the demo's face is
    assert (face == 255).mean() > 0.9 and (mask == 255).mean() < 0.4


def test_the_colours_are_those_of_the_command(host: Host, told: dict[str, Any]) -> None:
    """Deep and wide: outside the faces nothing moves, inside it is what the command writes."""
    out = host.root / "out"
    host.photocloak("cloak", "--mode=subtle", "--preset=keep", "-o", out, host.photos / "p3.png")
    written = png_pixels_of(out / "p3.png").astype(int)
    cloaked = kept(host, "p3.png.cloaked", np.uint16).astype(int)
    clean = kept(host, "p3.png.clean", np.uint16).astype(int)
    assert np.abs(cloaked - written).max() <= 257 * 2
    assert np.abs(cloaked - written).mean() < 0.05 * np.abs(cloaked - clean).mean()


def png_pixels_of(path: Path) -> NDArray[np.uint16]:
    told = subprocess.run(
        ["convert", str(path), "+profile", "*", "-depth", "16", "-endian", "LSB", "rgb:-"],
        check=True,
        stdout=subprocess.PIPE,
    )
    return np.frombuffer(told.stdout, np.uint16).reshape(SIDE, SIDE, 3)


def test_what_cannot_be_done_is_said(told: dict[str, dict[str, Any]]) -> None:
    assert "make it RGB first (Image > Mode > RGB)" in told["indexed.png"]["error"]
    assert "photo.tif: no face" in told["empty.png"]["error"].replace("No face", "no face")
    assert "Faces must be upright" in told["empty.png"]["error"]


def test_nothing_is_left(host: Host, told: dict[str, Any]) -> None:
    foreign = ("/.config/GIMP/", "/.cache/gimp/", "/.local/share/photocloak/")
    left = [one for one in host.left if not any(part in one for part in foreign)]
    left = [one for one in left if "/.cache/photocloak/models/" not in one]
    left = [one for one in left if "fontconfig" not in one and "babl" not in one]
    assert not left
    recent = host.home / ".local/share/recently-used.xbel"
    assert not recent.exists() or b"photo.tif" not in recent.read_bytes()
    assert not list((host.home / ".cache/photocloak/gimp").iterdir())
    plugin = host.home / ".config/GIMP/3.0/plug-ins/photocloak"
    assert sorted(one.name for one in plugin.iterdir()) == [
        "cloaking.py",
        "keeper.py",
        "photocloak.py",
        "pictures.py",
    ]


SELECTED = """
image = load({two!r})
call("gimp-image-select-rectangle", image=image, operation=Gimp.ChannelOps.REPLACE,
    x=140.0, y=20.0, width=180.0, height=240.0)
error = cloak(image, mode="balanced")
tell(name="left", error=error, **(keep_all("left", image, "R'G'B' u8") if not error else dict()))
tell(name="selection", bounds=list(Gimp.Selection.bounds(image)))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 700.0, 20.0, 180.0, 240.0)
error = cloak(image)
tell(name="right", error=error, **(keep_all("right", image, "R'G'B' u8") if not error else dict()))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 480.0, 400.0, 40.0, 40.0)
tell(name="none", error=cloak(image), layers=len(image.get_layers()))
"""


def test_only_selected_faces_are_cloaked(host: Host) -> None:
    script = SELECTED.format(two=str(host.photos / "two.png"))
    left, selection, right, none = host.play(script)
    assert not left["error"] and not right["error"]
    assert selection["bounds"][1:] == [True, 140, 20, 320, 260]
    assert right["layers"][:2] == ["Cloaked (subtle)", "Cloaked (balanced)"]
    for name, there, elsewhere in (
        ("left", slice(0, 512), slice(512, 1024)),
        ("right", slice(512, 1024), slice(0, 512)),
    ):
        clean, cloaked = (kept(host, f"{name}.{one}") for one in ("clean", "cloaked"))
        changed = (clean != cloaked).any(axis=-1)
        assert changed[:, there].any() and not changed[:, elsewhere].any()
    assert none["error"] and none["layers"] == 3


OTHERS = """
def told_of(name, image, **more):
    error = cloak(image, **more)
    tell(name=name, error=error, **(keep_all(name, image, "R'G'B' u8") if not error else dict()))
def photo(): return load({photo!r})
image = photo()
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
image.reorder_item(image.get_layers()[1], group, 0)
over = Gimp.Layer.new(image, "over", 512, 512, Gimp.ImageType.RGBA_IMAGE, 30.0,
    Gimp.LayerMode.MULTIPLY)
over.fill(Gimp.FillType.WHITE)
image.insert_layer(over, group, 0)
hidden = Gimp.Layer.new(image, "hidden", 512, 512, Gimp.ImageType.RGBA_IMAGE, 100.0,
    Gimp.LayerMode.NORMAL)
hidden.fill(Gimp.FillType.WHITE)
image.insert_layer(hidden, None, 0)
hidden.set_visible(False)
told_of("groups", image)
image = photo()
image.convert_precision(Gimp.Precision.FLOAT_LINEAR)
told_of("linear", image)
image = photo()
layer = image.get_layers()[0]
layer.add_alpha()
layer.set_opacity(60.0)
told_of("see-through", image)
image = photo()
layer = image.get_layers()[0]
layer.add_alpha()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0.0, 400.0, 512.0, 112.0)
Gimp.Drawable.edit_clear(layer)
Gimp.Selection.none(image)
told_of("hole", image)
image = photo()
for name in ("hidden", ):
    told_of("once", image)
    first = image.get_layers()[0]
    first.set_visible(False)
    told_of("twice", image)
    tell(name="own", parasites=[one.get_parasite_list() for one in image.get_layers()])
told_of("person", photo(), person="Ada")
told_of("nonsense", photo(), person="-")
image.delete()
"""


def test_groups_precisions_and_transparency(host: Host) -> None:
    answers = host.play(OTHERS.format(photo=str(host.photos / "a b'ü.jpg")))
    told = {answer["name"]: answer for answer in answers}
    for name in ("groups", "linear", "hole", "once", "twice", "person"):
        assert not told[name]["error"], name
        clean, cloaked = (kept(host, f"{name}.{one}") for one in ("clean", "cloaked"))
        mask = kept(host, f"{name}.mask", bands=1)
        changed = (clean != cloaked).any(axis=-1)
        assert not changed[mask == 0].any()
        assert changed[mask == 255].mean() > 0.5
    assert told["groups"]["layers"] == ["Cloaked (subtle)", "hidden", "group"]
    assert told["linear"]["precision"] == "float-linear"
    assert "see-through where a face is" in told["see-through"]["error"]
    # A cloak is made of the clean picture, not of a cloak.
    assert (host.root / "once.clean").read_bytes() == (host.root / "twice.clean").read_bytes()


EXPORTED = """
image = load({photo!r})
for name, preset in {exports!r}:
    error = export(image, Path({out!r}, name), preset=preset)
    tell(name=name, error=error)
layers = len(image.get_layers())
error = cloak(image)
tell(name="over", error=error or export(image, Path({out!r}, "over.jpg"), preset="web"))
tell(name="itself", error=export(image, {photo!r}, preset="keep"))
tell(name="wrong", error=export(image, Path({out!r}, "a.png"), preset="web"))
tell(name="empty", error=export(load({empty!r}), Path({out!r}, "empty.jpg"), preset="web"))
deep = load({deep!r})
tell(name="deep.png", error=export(deep, Path({out!r}, "deep.png"), preset="keep"))
tell(name="indexed.jpg", error=export(load({indexed!r}), Path({out!r}, "indexed.jpg"),
    preset="web"))
"""
EXPORTS = [
    ("web.jpg", "web"),
    ("keep.jpg", "keep"),
    ("keep.png", "keep"),
    ("keep.tif", "keep"),
    ("keep.webp", "keep"),
    ("anonymous.jpg", "anonymous"),
]


@pytest.fixture(scope="module")
def exported(host: Host) -> dict[str, Any]:
    out = host.root / "exported"
    out.mkdir()
    (out / "web.jpg").write_bytes(b"what is replaced")
    values = {
        "photo": str(host.photos / "a b'ü.jpg"),
        "empty": str(host.photos / "empty.png"),
        "deep": str(host.photos / "p3.png"),
        "indexed": str(host.photos / "indexed.png"),
        "out": str(out),
        "exports": EXPORTS,
    }
    original = (host.photos / "a b'ü.jpg").read_bytes()
    told = {one["name"]: one["error"] for one in host.play(EXPORTED.format(**values))}
    assert (host.photos / "a b'ü.jpg").read_bytes() == original
    return told


def tags(path: Path) -> dict[str, Any]:
    told = subprocess.run(["exiftool", "-j", "-G1", str(path)], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(told.stdout)[0]
    return found


@pytest.mark.parametrize("name", [name for name, _ in EXPORTS] + ["deep.png", "indexed.jpg"])
def test_an_export_is_cloaked_and_checked(host: Host, exported: dict[str, str], name: str) -> None:
    assert not exported[name]
    path = host.root / "exported" / name
    (told,) = host.photocloak("check", "--json", path).splitlines()
    assert json.loads(told)["cloaked"]
    assert (
        tags(path)["File:FileType"]
        == {
            ".jpg": "JPEG",
            ".png": "PNG",
            ".tif": "TIFF",
            ".webp": "WEBP",
        }[path.suffix]
    )


def test_metadata_by_preset(host: Host, exported: dict[str, str]) -> None:
    out = host.root / "exported"
    for name in ("keep.jpg", "keep.png", "keep.tif", "keep.webp"):
        found = tags(out / name)
        assert found["IFD0:Artist"] == "A photographer", name
        assert "GPS:GPSLatitude" in found, name
        assert found["XMP-iptcExt:PersonInImage"] == "Eileen Collins", name
    web = tags(out / "web.jpg")
    assert web["XMP-dc:Rights"] == "© Ada" or web["IFD0:Copyright"] == "© Ada"
    for name in ("web.jpg", "anonymous.jpg"):
        text = json.dumps(tags(out / name))
        assert "GPS" not in text and "Eileen" not in text and "Lübeck" not in text
    assert "Artist" not in json.dumps(tags(out / "anonymous.jpg"))
    assert tags(out / "deep.png")["PNG:BitDepth"] == 16


def test_no_cloak_is_cloaked_again(host: Host, exported: dict[str, str]) -> None:
    """With a cloaked layer over it the same file comes out."""
    assert not exported["over"]
    web, over = (host.root / "exported" / f"{name}.jpg" for name in ("web", "over"))
    assert web.read_bytes() == over.read_bytes()


def test_exports_that_must_not_be(host: Host, exported: dict[str, str]) -> None:
    assert "the photo itself" in exported["itself"]
    assert "writes JPEG: end the name with .jpg" in exported["wrong"]
    assert "Faces must be upright" in exported["empty"]
    names = {path.name for path in (host.root / "exported").iterdir()}
    assert names == {*(name for name, _ in EXPORTS), "over.jpg", "deep.png", "indexed.jpg"}


def test_the_file_is_what_the_command_writes(host: Host) -> None:
    """The command, given what GIMP handed over, writes these bytes."""
    plugin = host.home / ".config/GIMP/3.0/plug-ins/photocloak/photocloak.py"
    stand_in, handed = host.root / "stand-in", host.root / "handed.png"
    stand_in.write_text(
        STAND_IN.format(python=sys.executable, kept=str(handed), command=str(PHOTOCLOAK))
    )
    stand_in.chmod(0o755)
    before = plugin.read_text()
    plugin.write_text(before.replace(str(PHOTOCLOAK), str(stand_in)))
    out = host.root / "same.jpg"
    photo = str(host.photos / "a b'ü.jpg")
    try:
        (told,) = host.play(
            f"tell(error=export(load({photo!r}), {str(out)!r}, preset='web', mode='balanced'))"
        )
    finally:
        plugin.write_text(before)
    assert not told["error"]
    words = ("cloak", "--mode=balanced", "--preset=web", "--redo", "-o", host.root / "by-command")
    host.photocloak(*words, handed)
    (written,) = (host.root / "by-command").iterdir()
    assert sha256(written.read_bytes()).digest() == sha256(out.read_bytes()).digest()


SCHEME = """
(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{photo}"))))
  (plug-in-photocloak-cloak-faces #:run-mode RUN-NONINTERACTIVE #:image image #:mode "subtle")
  (plug-in-photocloak-export #:run-mode RUN-NONINTERACTIVE #:image image #:file "{out}"
    #:preset "web")
  (gimp-file-save RUN-NONINTERACTIVE image "{xcf}" -1))
"""


def test_a_script_in_scheme(host: Host) -> None:
    out, xcf = host.root / "scheme.jpg", host.root / "scheme.xcf"
    script = SCHEME.format(photo=host.photos / "a b'ü.jpg", out=out, xcf=xcf)
    command = ["gimp-console-3.0", "--no-interface", "--quit", "--batch", script]
    command.append("--batch-interpreter=plug-in-script-fu-eval")
    done = subprocess.run(
        command, env=host.environ, check=True, capture_output=True, text=True, timeout=580
    )
    assert "rror" not in done.stderr + done.stdout
    assert json.loads(host.photocloak("check", "--json", out))["cloaked"]
    assert b"Cloaked (subtle)" in xcf.read_bytes()


def test_it_goes_without_a_trace(host: Host) -> None:
    host.photocloak("uninstall", "gimp")
    assert not (host.home / ".config/GIMP/3.0/plug-ins/photocloak").exists()
