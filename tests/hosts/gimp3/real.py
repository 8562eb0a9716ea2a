"""GIMP 3 itself with the real engine: what it shows and writes is what photocloak made.

Not collected by name, since Debian 12 has no GIMP 3: `tests/hosts/debian13/run gimp` runs it for
3.0 of Debian 13, `gimp/forky` for 3.2 of the next Debian.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.exporters.files import profile
from tests.hosts.gimp3.gimp import PHOTOCLOAK, Host, png, portrait
from tests.hosts.gimp3.scripts import EXPORTED, SCHEME, SHOWN

METADATA = (
    "-EXIF:Artist=A photographer",
    "-EXIF:GPSLatitude=54",
    "-EXIF:GPSLatitudeRef=N",
    "-XMP-dc:Rights=© Ada",
    "-XMP-iptcExt:PersonInImage=Eileen Collins",
    "-IPTC:CodedCharacterSet=UTF8",
    "-IPTC:City=Lübeck",
)
FACE = [171, 63, 110, 148]  # x, y, width, height of the demo's
SIDE = 512


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    host = Host(tmp_path_factory.mktemp("gimp"))
    face = portrait()
    photos = host.photos
    Pillow.fromarray(face).save(photos / "ada's ü.jpg", quality=95, subsampling=0)
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", *METADATA, str(photos / "ada's ü.jpg")],
        check=True,
    )
    Pillow.fromarray(face).convert("L").save(photos / "gray.png")
    Pillow.fromarray(face).quantize(200).save(photos / "indexed.png")
    Pillow.fromarray(np.hstack([face, face[:, ::-1]])).save(photos / "two.png")
    Pillow.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(photos / "empty.png")
    deep = face.astype(np.uint16) * 256 + np.arange(SIDE, dtype=np.uint16)[:, None, None] % 97
    png(photos / "p3.png", deep, profile("Display P3"))
    png(photos / "gray16.png", deep[..., 1:2])
    host.install()
    return host


def kept(host: Host, name: str, kind: type = np.uint8, bands: int = 3) -> NDArray[Any]:
    pixels: NDArray[Any] = np.frombuffer((host.root / name).read_bytes(), kind)
    return pixels.reshape(SIDE, -1, bands) if bands > 1 else pixels.reshape(SIDE, -1)


FORMS = [
    ("ada's ü.jpg", "R'G'B' u8"),
    ("gray.png", "Y' u8"),
    ("gray16.png", "Y' u16"),
    ("p3.png", "R'G'B' u16"),
]


@pytest.fixture(scope="module")
def told(host: Host) -> dict[str, dict[str, Any]]:
    """Cloak by the stand-in: what GIMP shows must be what it made, to the last bit."""
    before = host.files()
    answers = host.play(SHOWN.format(photos=str(host.photos), face=FACE, forms=FORMS))
    host.left = {one for one in host.files() - before if Path(one).parent != host.root}
    return {answer["name"]: answer for answer in answers}


@pytest.mark.parametrize(
    "name, precision, base",
    [
        ("ada's ü.jpg", "u8-non-linear", "rgb"),
        ("gray.png", "u8-non-linear", "gray"),
        ("gray16.png", "u16-non-linear", "gray"),
        ("p3.png", "u16-non-linear", "rgb"),
    ],
)
def test_what_was_made_is_shown_to_the_last_bit(
    host: Host, told: dict[str, Any], name: str, precision: str, base: str
) -> None:
    answer, bands = told[name], {"rgb": 3, "gray": 1}[base]
    kind = np.uint8 if precision.startswith("u8") else np.uint16
    assert not answer["error"]
    assert len(answer["layers"]) == 2 and answer["layers"][0] == "Cloaked (subtle)"
    assert answer["at"] == [0, 0, SIDE, SIDE]
    assert (answer["precision"], answer["base"]) == (precision, base)
    clean, cloaked = (kept(host, f"{name}.{one}", kind, bands) for one in ("clean", "cloaked"))
    mask = kept(host, f"{name}.mask", bands=1)
    assert_mask(mask, FACE)
    off = cloaked[mask == 255].astype(int) - (np.iinfo(kind).max - clean[mask == 255].astype(int))
    assert np.abs(off).max() <= (257 if name == "p3.png" else 0)  # GIMP composes by sRGB's curve
    assert (cloaked[mask == 0] == clean[mask == 0]).all()


def assert_mask(mask: NDArray[np.uint8], box: list[int]) -> None:
    x, y, width, height = box
    wanted = np.zeros_like(mask)
    wanted[y : y + height, x : x + width] = 255
    assert (mask == wanted).all()


@pytest.mark.parametrize(
    "name", ["groups", "mixed", "filtered", "linked", "proofed", "linear", "hole"]
)
def test_whatever_the_image_is_made_of(host: Host, told: dict[str, Any], name: str) -> None:
    if name == "linked" and name not in told:
        pytest.skip("before 3.2 GIMP has no links")
    assert not told[name]["error"]
    clean, cloaked = (kept(host, f"{name}.{one}").astype(int) for one in ("clean", "cloaked"))
    mask = kept(host, f"{name}.mask", bands=1)
    assert_mask(mask, FACE)
    assert np.abs(cloaked[mask == 255] - (255 - clean[mask == 255])).max() <= 1
    assert (cloaked[mask == 0] == clean[mask == 0]).all()


def test_a_second_cloak_is_made_of_the_clean_picture(host: Host, told: dict[str, Any]) -> None:
    """Below it lies the first one; both turn the same face over."""
    assert not told["twice"]["error"]
    assert_mask(kept(host, "twice.mask", bands=1), FACE)
    assert (kept(host, "twice.cloaked") == kept(host, "groups.cloaked")).all()
    assert (kept(host, "twice.clean") == kept(host, "groups.cloaked")).all()


def test_layers_stay_as_they_are(host: Host, told: dict[str, Any]) -> None:
    assert told["groups"]["layers"] == ["Cloaked (subtle)", "hidden", "group"]
    assert told["mixed"]["layers"] == ["Cloaked (subtle)", "outer", "Background"]
    assert told["proof"]["kept"]
    assert (kept(host, "proofed.cloaked") == kept(host, "ada's ü.jpg.cloaked")).all()
    assert told["twice"]["layers"][:2] == ["Cloaked (strong)", "Cloaked (subtle)"]
    assert told["linear"]["precision"] == "float-linear"


def test_what_cannot_be_done_is_said(told: dict[str, Any]) -> None:
    assert "see-through where a face is" in told["see-through"]["error"]
    assert "make it RGB first (Image > Mode > RGB)" in told["indexed"]["error"]
    assert "no face was found" in told["held"]["error"]
    assert "Faces must be upright" in told["held"]["error"]


def test_only_selected_faces_are_shown(host: Host, told: dict[str, Any]) -> None:
    """The selection lies at 140, 20 to 320, 260; looked at is half its size more on each side."""
    assert told["selected"]["at"] == [50, 0, 360, 380]
    mask = np.frombuffer((host.root / "selected.mask").read_bytes(), np.uint8).reshape(380, 360)
    assert_mask(mask, [121, 63, 110, 148])
    assert told["selection"]["bounds"] == [True, 140, 20, 320, 260]
    assert "no face in the selection" in told["outside"]["error"]


def test_nothing_is_left(host: Host, told: dict[str, Any]) -> None:
    foreign = ("/.config/GIMP/", "/.cache/gimp/", "/.cache/gegl", "fontconfig", "babl")
    assert not [one for one in host.left if not any(part in one for part in foreign)]
    assert not list((host.home / ".cache/photocloak/gimp").iterdir())
    assert sorted(one.name for one in host.plugin.iterdir()) == [
        "cloaking.py",
        "keeper.py",
        "photocloak.py",
        "pictures.py",
    ]


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
    values = {
        "photo": str(host.photos / "ada's ü.jpg"),
        "empty": str(host.photos / "empty.png"),
        "deep": str(host.photos / "p3.png"),
        "indexed": str(host.photos / "indexed.png"),
        "out": str(out),
        "command": str(PHOTOCLOAK),
        "exports": EXPORTS,
    }
    original = (host.photos / "ada's ü.jpg").read_bytes()
    told = {one["name"]: one["error"] for one in host.play(EXPORTED.format(**values))}
    assert (host.photos / "ada's ü.jpg").read_bytes() == original
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
    kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".webp": "WEBP"}[path.suffix]
    assert kind in tags(path)["File:FileType"].split()  # "Extended WEBP" by some ExifTools


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
    """With a cloaked layer over it the same picture comes out."""
    assert not exported["over"]
    web, over = (host.root / "exported" / f"{name}.jpg" for name in ("web", "over"))
    with Pillow.open(web) as one, Pillow.open(over) as other:
        assert (np.asarray(one) == np.asarray(other)).all()


def test_exports_that_must_not_be(host: Host, exported: dict[str, str]) -> None:
    # GIMP 3.2 knows where a script's image is from.
    words = ("is there already", "this is the photo itself")
    assert any(one in exported["itself"] for one in words)
    assert "writes JPEG: end the name with .jpg" in exported["wrong"]
    assert "Faces must be upright" in exported["empty"]
    names = {path.name for path in (host.root / "exported").iterdir()}
    assert names == {*(name for name, _ in EXPORTS), "over.jpg", "deep.png", "indexed.jpg"}


def test_the_file_is_what_the_command_writes(host: Host, exported: dict[str, str]) -> None:
    """The command, given what GIMP handed over last, writes these bytes."""
    words = ("cloak", "--mode=subtle", "--preset=web", "--redo", "-o", host.root / "by-command")
    host.photocloak(*words, host.root / "handed.png")
    (written,) = (host.root / "by-command").iterdir()
    assert written.read_bytes() == (host.root / "exported" / "indexed.jpg").read_bytes()


def test_a_script_in_scheme(host: Host) -> None:
    out, xcf = host.root / "scheme.jpg", host.root / "scheme.xcf"
    script = SCHEME.format(photo=host.photos / "ada's ü.jpg", out=out, xcf=xcf)
    command = ["gimp-console", "--no-interface", "--quit", "--batch", script]
    command.append("--batch-interpreter=plug-in-script-fu-eval")
    done = subprocess.run(
        command, env=host.environ, check=True, capture_output=True, text=True, timeout=580
    )
    assert "batch command experienced an execution error" not in done.stderr + done.stdout
    assert json.loads(host.photocloak("check", "--json", out))["cloaked"]
    assert b"Cloaked (subtle)" in xcf.read_bytes()


def test_it_goes_without_a_trace(host: Host) -> None:
    place = host.plugin
    (place / "photocloak.py").write_text(host.installed)  # without the test's stand-in
    host.photocloak("uninstall", "gimp")
    assert not place.exists()
