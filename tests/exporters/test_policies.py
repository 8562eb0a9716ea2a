"""Presets: what ships is valid, what a user writes is checked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import ConfigError, OutputError
from photocloak.exporters.policies import read_policy

Image = NDArray[np.uint8]


@pytest.mark.parametrize("name", exporters.policy_names())
def test_shipped_presets_are_valid_and_limits_have_a_source(name: str) -> None:
    policy = exporters.load_policy(name)
    assert policy.title
    if name not in ("keep", "web", "anonymous"):
        assert policy.sources
        assert policy.checked.startswith("20")


def test_the_presets_of_the_issue_ship() -> None:
    names = {"keep", "web", "instagram", "facebook", "x", "linkedin", "anonymous"}
    assert names <= set(exporters.policy_names())


def test_users_add_their_own(tmp_path: Path) -> None:
    text = 'title = "Club"\nmetadata = "some"\nfields = ["creator"]\nedge = 1200\n'
    (tmp_path / "club.toml").write_text(text)
    policy = exporters.load_policy("club", tmp_path, tmp_path / "missing")
    assert (policy.name, policy.edge, policy.fields) == ("club", 1200, ("creator",))
    with pytest.raises(ConfigError, match="Did you mean web"):
        exporters.load_policy("wbe")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = "a"\nmetadata = "some"\nqualty = 3', "did you mean quality"),
        ('title = "a"\nmetadata = "most"', "one of all, some, none"),
        ('title = "a"\nmetadata = "some"\nquality = 101', "from 1 to 100"),
        ('title = "a"\nmetadata = "some"\nquality = true', "from 1 to 100"),
        ('title = "a"\nmetadata = "some"\nfields = ["gps"]', "list out of"),
        ('title = "a"\nmetadata = "all"\nedge = 900', "no other key fits"),
        ('metadata = "all"', "title is missing"),
        ("title = ", "cannot be read"),
    ],
)
def test_mistakes_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_policy(path)


def big(face: Image) -> bytes:
    import io

    file = io.BytesIO()
    Pillow.fromarray(face).resize((3000, 2000)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_social_presets_resize_before_the_cloak(face: Image) -> None:
    photo = exporters.read_bytes(big(face), "a.png")
    sizes = {"keep": (2000, 3000), "web": (1707, 2560), "instagram": (720, 1080)}
    sizes |= {"facebook": (1365, 2048), "x": (2000, 3000), "anonymous": (2000, 3000)}
    for name, size in sizes.items():
        assert exporters.prepare(photo, exporters.load_policy(name)).shape[:2] == size


def test_the_limit_of_bytes_is_held_or_the_file_held_back(
    face: Image, cloak: Callable[..., Image], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    noise = np.clip(face.astype(int) + rng.integers(-60, 60, face.shape), 0, 255).astype(np.uint8)
    photo = exporters.read_bytes(big(noise), "a.png")
    for limit in (900_000, 10_000):
        path = tmp_path / f"l{limit}.toml"
        path.write_text(f'title="t"\nmetadata="none"\nformat="JPEG"\nbytes={limit}\nquality=95')
        policy = read_policy(path)
        base = exporters.prepare(photo, policy)
        if limit == 10_000:
            with pytest.raises(OutputError, match="smaller than 10000 bytes"):
                exporters.encode(photo, base, base, policy)
        else:
            assert len(exporters.encode(photo, base, base, policy).data) <= limit


def test_credits_survive_and_nothing_else(face: Image) -> None:
    import io

    exif = Pillow.Exif()
    exif[0x010E], exif[0x013B], exif[0x8298] = "By the river", "Ana", "(c) Ana"
    exif[0x0131] = "SecretEditor 9"
    exif.get_ifd(0x8769)[0xA431] = "SN-12345678"
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    Pillow.fromarray(face).save(file, "JPEG", exif=exif)
    photo = exporters.read_bytes(file.getvalue(), "a.jpg")
    web = exporters.encode(photo, photo.pixels, photo.pixels, exporters.load_policy("web"))
    tags = Pillow.open(io.BytesIO(web.data)).getexif()
    assert "Ana" in str(tags[0x013B])
    assert b"By the river" in web.data
    assert b"SecretEditor" not in web.data
    assert b"SN-12345678" not in web.data
    bare = exporters.encode(photo, photo.pixels, photo.pixels, exporters.load_policy("anonymous"))
    assert b"Ana" not in bare.data
    assert b"Exif" not in bare.data
