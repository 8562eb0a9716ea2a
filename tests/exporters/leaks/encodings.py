"""A clean face as bytes and as text, in every way a random generator can think of."""

import base64
import bz2
import gzip
import io
import lzma
import string
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Image = NDArray[np.uint8]
SIZE = 44  # pixels: small, so that its plants are hard to find, and a face nevertheless
LETTERS = string.ascii_letters + string.digits + "+/-_.,:;!?()[]{}@#$%^&*=~|`"
SCRIPTS = (
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.ascii_letters + string.digits + "+/",
    LETTERS,
    "".join(map(chr, range(0x430, 0x450))) + "".join(map(chr, range(0x410, 0x430))),
    "".join(map(chr, range(0x3B1, 0x3CA))),
    "".join(map(chr, range(0x4E00, 0x4E00 + 512))),
    "".join(map(chr, range(0x1F600, 0x1F640))),
    "aeioustnrlhdcmpw",
)


@cache
def pictures(face: str) -> tuple[tuple[str, bytes], ...]:
    """Return (kind, bytes) of the face in many codecs, and as raw pixels."""
    small = Pillow.open(face).convert("RGB").resize((SIZE, SIZE))
    small.info.clear()  # its profile is no face
    gray = small.convert("L")
    found = []
    for kind, picture, options in (
        ("JPEG", small, {"quality": 60}),
        ("JPEG", gray, {"quality": 40, "optimize": True}),
        ("JPEG", small, {"quality": 80, "progressive": True}),
        ("PNG", gray, {}),
        ("GIF", gray, {}),
        ("WEBP", small, {"quality": 50}),
        ("WEBP", gray, {"lossless": True}),
        ("BMP", gray, {}),
        ("TIFF", gray, {"compression": "tiff_lzw"}),
        ("JPEG2000", small, {"quality_layers": [8]}),
        ("PPM", gray, {}),
        ("AVIF", small, {"quality": 50}),
    ):
        file = io.BytesIO()
        picture.save(file, kind, **options)
        found.append((kind, file.getvalue()))
    found.append(("gray", np.asarray(gray).tobytes()))
    found.append(("RGB", np.asarray(small).tobytes()))
    found.append(("planes", np.moveaxis(np.asarray(small), 2, 0).tobytes()))
    found.append(("words", (np.asarray(gray).astype("<u2") * 257).tobytes()))
    pixels = np.asarray(gray)
    found.append(("short words", pixels.astype(">u2").tobytes()))
    found.append(("a dark room", np.where(pixels < np.median(pixels), 0, pixels).tobytes()))
    found.append(("four levels", (pixels // 64).tobytes()))
    found.append(("black and white", np.packbits(pixels > np.median(pixels)).tobytes()))
    return tuple(found)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, Callable[[bytes, Random], bytes]] = {
    "reversed": lambda data, _: data[::-1],
    "xor": lambda data, rng: bytes(byte ^ k for k in [rng.randrange(1, 256)] for byte in data),
    "shifted": lambda data, rng: bytes(
        (byte + k) % 256 for k in [rng.randrange(256)] for byte in data
    ),
    "zlib": lambda data, _: zlib.compress(data),
    "deflate": lambda data, _: _raw_deflate(data),
    "gzip": lambda data, _: gzip.compress(data, mtime=0),
    "bzip2": lambda data, _: bz2.compress(data),
    "lzma": lambda data, _: lzma.compress(data),
    "every other": lambda data, _: data[::2] + data[1::2],
    "swapped": lambda data, _: bytes(data[i ^ 1] for i in range(len(data) // 2 * 2)),
}


def base_n(data: bytes, alphabet: str) -> str:
    """Return bytes in an alphabet of a power of two, bits first come first served."""
    width = len(alphabet).bit_length() - 1
    bits = int.from_bytes(data, "big")
    total = len(data) * 8
    bits <<= -total % width
    count = (total + width - 1) // width
    mask = (1 << width) - 1
    step, out = 512, []
    digits = bin(bits)[2:].zfill(count * width)
    for i in range(0, len(digits), step * width):
        part = digits[i : i + step * width]
        out += [alphabet[int(part[j : j + width], 2) & mask] for j in range(0, len(part), width)]
    return "".join(out)


def _in_alphabet(data: bytes, rng: Random) -> str:
    script = rng.choice(SCRIPTS)
    width = rng.randrange(3, len(script).bit_length())
    return base_n(data, "".join(rng.sample(script, 1 << width)))


def _numbers(data: bytes, rng: Random) -> str:
    form = rng.choice(["{}", "0x{:02x}", "{:03o}", "{:03d}", "{:08b}", "{:.1f}"])
    separator = rng.choice([",", " ", ", ", "; ", "\n", " / ", "\t"])
    return _each(data, form, separator)


def _each(data: bytes, form: str, separator: str = "") -> str:
    forms = [form.format(byte) for byte in range(256)]
    return separator.join(forms[byte] for byte in data)


TEXTS: dict[str, Callable[[bytes, Random], str]] = {
    "base16": lambda data, rng: rng.choice([data.hex(), data.hex().upper()]),
    "base32": lambda data, _: base64.b32encode(data).decode(),
    "base64": lambda data, _: base64.b64encode(data).decode(),
    "base64, for URLs": lambda data, _: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "base85": lambda data, _: base64.b85encode(data).decode(),
    "ascii85": lambda data, _: base64.a85encode(data).decode(),
    "any alphabet": _in_alphabet,
    "numbers": _numbers,
    "percent": lambda data, _: _each(data, "%{:02X}"),
    "JSON escapes": lambda data, _: _each(data, "\\u{:04x}"),
    "C escapes": lambda data, _: _each(data, "\\x{:02x}"),
    "entities": lambda data, _: _each(data, "&#{};"),
    "code points": lambda data, _: "".join(chr(0x100 + byte) for byte in data),
    "bits": lambda data, rng: _each(data, "{:08b}").translate(
        str.maketrans("01", rng.choice(["01", "ab", "._", " \t"]))
    ),
}


def separated(text: str, rng: Random) -> str:
    """Return a text with separators at regular or random places, or none."""
    kind = rng.randrange(5)
    if kind == 0:
        return text
    separator = rng.choice([" ", "\n", "-", " - ", ".", ", ", "/", " the ", "|", "\r\n", "=\n"])
    longest = rng.choice([2, 3, 4, 5, 6, 8, 10, 16, 64, 76])
    if kind < 3:
        return separator.join(text[i : i + longest] for i in range(0, len(text), longest))
    pieces, position = [], 0
    while position < len(text):
        size = rng.randint(1, longest)
        pieces.append(text[position : position + size])
        position += size
    return separator.join(pieces)


def in_pieces(data: bytes, rng: Random) -> tuple[list[str], float]:
    """Return bytes as many texts, some with words around them, and how many bytes a letter is."""
    ways: list[Callable[[], str]] = [
        lambda: base64.b64encode(data).decode(),
        lambda: base64.b32encode(data).decode().lower(),
        lambda: base64.a85encode(data).decode(),
        data.hex,
        lambda: " ".join(map(str, data)),
        lambda: _in_alphabet(data, rng),
    ]
    code = rng.choice(ways)()
    text = code
    group = rng.choice([0, 1, 1, 2, 3, 4, 5, 6, 8, 12, 16])
    if group:
        separator = rng.choice([" ", "-", " - ", ", ", ".", "/", " the ", "_", "\n", " of it "])
        text = separator.join(code[at : at + group] for at in range(0, len(code), group))
    before = rng.choice(["", "", "the wedding of ", "a photograph of the bride and her father at "])
    behind = rng.choice(["", "", " and the rest of the family behind them"])
    size = rng.choice([12, 24, 41, 48, 64, 80, 100, 150, 240, 300, 400, 600, 1000])
    pieces = [before + text[at : at + size] + behind for at in range(0, len(text), size)]
    return pieces, len(data) / len(text) * size / (len(before) + size + len(behind))


def coded(face: str, rng: Random) -> tuple[str, bytes]:
    """Return (what it is, bytes): a face in a random codec, coded at random up to three times."""
    kind, data = rng.choice(pictures(face))
    names = [kind]
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        name = rng.choice(sorted(CODINGS))
        data = CODINGS[name](data, rng)
        names.append(name)
    return ", ".join(names), data


def written(data: bytes, rng: Random) -> tuple[str, str]:
    """Return (how, text) of bytes written as text."""
    name = rng.choice(sorted(TEXTS))
    return name, separated(TEXTS[name](data, rng), rng)
