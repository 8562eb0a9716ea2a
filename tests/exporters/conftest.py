"""A face, a cloak nobody can overlook, and a witness that knows nothing of the exporters."""

import base64
import binascii
import io
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageFile

Image = NDArray[np.uint8]
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def face() -> Image:
    """(256, 256, 3): a face, public domain."""
    return np.asarray(Pillow.open(DATA / "astronaut.png").convert("RGB"))


def cloak(image: Image, *, strength: int = 8) -> Image:
    """Add a smooth pattern to the middle of a picture."""
    height, width = image.shape[:2]
    rows, columns = slice(height // 4, height * 3 // 4), slice(width // 4, width * 3 // 4)
    y, x = np.mgrid[rows, columns]
    wave = strength * np.sin(x / 5) * np.cos(y / 7)
    result = image.copy()
    part = result[rows, columns] + wave[..., None]
    result[rows, columns] = np.clip(np.rint(part), 0, 255).astype(np.uint8)
    return result


@pytest.fixture(name="cloak", scope="session")
def _cloak() -> Callable[..., Image]:
    return cloak


@pytest.fixture(name="mask", scope="session")
def _mask() -> Callable[[Image], Image]:
    """Return a function that turns the middle of a picture into its negative."""

    def mask(image: Image) -> Image:
        height, width = image.shape[:2]
        window = np.s_[height // 8 : height * 7 // 8, width // 8 : width * 7 // 8]
        result = image.copy()
        result[window] = 255 - result[window]
        return result

    return mask


class Witness:
    """Finds pictures in bytes, and tells whether one shows the clean face.

    It tries to decode at every signature, in the plain bytes, in what base64 and hexadecimal
    runs stand for, and in what zlib streams unpack to.
    """

    _HEADS = re.compile(rb"[\s\S]\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|GIF8[79]a", re.DOTALL)

    def __init__(self, clean: Image) -> None:
        self._clean = _small(clean)

    def leaks(self, data: bytes, published: Image) -> list[str]:
        """Return where a picture lies that looks more like the clean face than the published."""
        seen = _small(published)
        found = []
        for where, picture in self._pictures(data):
            small = _small(picture)
            if _likeness(small, self._clean) > max(0.5, _likeness(small, seen) + 0.05):
                found.append(where)
        return found

    def _pictures(self, data: bytes) -> Iterator[tuple[str, Image]]:
        for where, block in self._blocks(data):
            for match in self._HEADS.finditer(block):
                if where == "plain" and match.start() == 0:
                    continue
                head = b"\xff" if match[0].endswith(b"\xd8\xff") else match[0][:1]
                picture = _decoded(head + block[match.start() + 1 :])
                if picture is not None:
                    yield f"{where} {match.start()}", picture
        if data[4:8] == b"ftyp":
            yield from _heif(data)
        yield from _frames(data)

    def _blocks(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        yield "plain", data
        # ExtendedXMP goes over several segments
        heads = rb"\xff\xe1..http://ns.adobe.com/xmp/extension/\0[\s\S]{40}"
        texts = [re.sub(heads, b"", data, flags=re.DOTALL)]
        for match in re.finditer(rb"x[\x01\x5e\x9c\xda]", data):
            try:
                plain = zlib.decompressobj().decompress(data[match.start() :], 1 << 22)
            except zlib.error:
                continue
            if len(plain) > 100:
                texts.append(plain)
                yield "zlib", plain
        for text in [re.sub(rb"&#x[aAdD];", b"", one) for one in texts]:
            for match in re.finditer(rb"[A-Za-z0-9+/\s]{400,}", text):
                packed = re.sub(rb"\s", b"", match[0])
                for shift in range(4):
                    piece = packed[shift:]
                    yield "base64", base64.b64decode(piece[: len(piece) // 4 * 4])
            for match in re.finditer(rb"[0-9a-fA-F\s]{400,}", text):
                digits = re.sub(rb"\s", b"", match[0])
                for head in re.finditer(rb"ffd8ff", digits):
                    picture = digits[head.start() :]
                    yield "hex", b"." + binascii.unhexlify(picture[: len(picture) // 2 * 2])


def _decoded(data: bytes) -> Image | None:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
    except Exception:
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _heif(data: bytes) -> Iterator[tuple[str, Image]]:
    import pillow_heif

    picture: Any = pillow_heif.open_heif(io.BytesIO(data))
    for index in range(len(picture.info.get("thumbnails", []))):
        thumbnail = picture[0].get_thumbnail(index)
        yield "thumbnail", np.asarray(thumbnail.to_pillow().convert("RGB"))
    for depth in picture.info.get("depth_images", []):
        yield "depth", np.asarray(depth.to_pillow().convert("RGB"))
    for ids in picture.info.get("aux", {}).values():
        for number in ids:
            aux = picture[0].get_aux_image(number)
            yield "auxiliary", np.asarray(aux.to_pillow().convert("RGB"))


def _frames(data: bytes) -> Iterator[tuple[str, Image]]:
    try:
        picture = Pillow.open(io.BytesIO(data))
        for number in range(1, getattr(picture, "n_frames", 1)):
            picture.seek(number)
            yield f"frame {number}", np.asarray(picture.convert("RGB"))
        if picture.format == "TIFF":
            for number, offset in enumerate(np.atleast_1d(picture.getexif().get(0x014A, []))):
                sub = data[:4] + int(offset).to_bytes(4, "little") + data[8:]
                found = _decoded(sub)
                if found is not None:
                    yield f"SubIFD {number}", found
    except Exception:
        return


def _small(image: Image) -> NDArray[np.float64]:
    gray = Pillow.fromarray(np.ascontiguousarray(image)).convert("L").resize((24, 24))
    values = np.asarray(gray, np.float64)
    return np.asarray((values - values.mean()) / (values.std() + 1e-9))


def _likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float((a * b).mean())


@pytest.fixture(scope="session")
def witness(face: Image) -> Witness:
    """Return the witness for the face."""
    return Witness(face)
