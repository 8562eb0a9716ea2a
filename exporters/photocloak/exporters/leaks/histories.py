"""Develop settings and their histories: long values that are proved to hold no picture.

Each grammar returns what of a value it cannot vouch for, as `text.cost` does. None of them asks how
long a value is, but what it is made of.
"""

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from xml.parsers import expat

import numpy as np

from photocloak.exporters.leaks.costs import FREE, Cost
from photocloak.exporters.leaks.readability import cost

_MOST = 1 << 20  # bytes that parameters may unpack to: masks of some ten thousand points
_POINT = re.compile(r"\s*(\d{1,3})\s*,\s*(\d{1,3})\s*")
_STROKE = re.compile(r"[dMrfp](?: -?\d{1,5}(?:\.\d{1,8})?){1,4}")
_DECIMALS = re.compile(r"-?\d{1,3}\.\d{1,8}(?:,\s*-?\d{1,3}\.\d{1,8}){0,31}")
_OPERATION = re.compile(r"[a-z]{2,20}")


def parameters(value: str) -> Cost:
    """darktable: the C struct of a module, hexadecimal, or `gz`, a ratio and packed as base64."""
    try:
        raw = _unpacked(value) if value.startswith("gz") else binascii.unhexlify(value)
    except (ValueError, binascii.Error, zlib.error):
        return cost(value)
    strange = _strange_words(raw)
    # a few fields of a struct may be anything, such as a hash
    return FREE if strange * 16 <= len(raw) else Cost(opaque=len(raw))


def _unpacked(value: str) -> bytes:
    if not re.fullmatch(r"gz\d\d[A-Za-z0-9+/]+={0,2}", value):
        raise ValueError("not packed as darktable packs")
    packed = base64.b64decode(value[4:], validate=True)
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(packed, _MOST)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("something follows the parameters")
    return raw


def _strange_words(raw: bytes) -> int:
    """Return the bytes of those words that are neither a plain number nor text.

    A plain number is a whole one below 65,536 either way or a float between a millionth and a
    million; one random word in seven would pass.
    """
    words = np.frombuffer(raw[: len(raw) // 4 * 4], "<u4")
    whole = words.view(np.int32)
    exponent = words >> 23 & 0xFF
    number = (np.abs(whole.astype(np.int64)) < 1 << 16) | ((exponent > 106) & (exponent < 147))
    letters = np.frombuffer(raw[: len(raw) // 4 * 4], np.uint8).reshape(-1, 4)
    printable = ((letters >= 32) & (letters < 127) | (letters == 0)).all(axis=1) & ~number
    text = bytes(letters[printable].ravel()).replace(b"\0", b" ").decode("ascii")
    unreadable = cost(text)
    strange = 4 * int((~number & ~printable).sum()) + len(raw) % 4
    return strange + unreadable.opaque + unreadable.digits // 2


def order(value: str) -> Cost:
    """darktable: the names of modules, each with its number."""
    parts = value.split(",")
    named = all(_OPERATION.fullmatch(name) for name in parts[::2])
    numbered = all(number.isdecimal() and len(number) < 4 for number in parts[1::2])
    return cost(" ".join(parts[::2])) if named and numbered else cost(value)


def curve(value: str) -> Cost:
    """Lightroom: one point of a tone curve, two numbers of a byte; a list of them ascends."""
    return FREE if _POINT.fullmatch(value) else cost(value)


def strokes(value: str) -> Cost:
    """Lightroom: a dab of a brush, a letter and coordinates."""
    return FREE if _STROKE.fullmatch(value) else cost(value)


def decimals(value: str) -> Cost:
    """Lightroom: a few fractions."""
    return FREE if _DECIMALS.fullmatch(value) else cost(value)


def history(value: str) -> Cost:
    """digiKam: an XML document of files, filters and their parameters, judged value by value."""
    total = FREE
    values: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        values.extend((name, *attributes.values()))

    def declared(*_: object) -> None:
        raise ValueError("it declares entities")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.CharacterDataHandler = values.append
    parser.StartDoctypeDeclHandler = declared
    parser.CommentHandler = values.append
    parser.ProcessingInstructionHandler = lambda target, data: values.append(target + data)
    try:
        parser.Parse(value.encode(), True)
    except (expat.ExpatError, ValueError):
        return cost(value)
    for one in values:
        spent = _setting(one)
        total += spent
    return total


def _setting(value: str) -> Cost:
    """Judge one value of digiKam's history: a curve may be the packed words of a table."""
    if re.fullmatch(r"-?\d{1,7}(?:\.\d{1,16})?(?:e-?\d{1,2})?", value):
        return FREE
    if len(value) > 64 and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", value) and len(value) % 4 == 0:
        table = base64.b64decode(value)
        if _is_curve(table):
            return FREE
    return cost(value)


def _is_curve(table: bytes) -> bool:
    """Tell whether words of 16 bits go up or down only, as the table of a tone curve."""
    if len(table) % 2:
        return False
    for form in ("<", ">"):
        words = struct.unpack(f"{form}{len(table) // 2}H", table)
        rises = sum(b < a for a, b in pairwise(words))
        if rises * 32 < len(words):
            return True
    return False


GRAMMARS: dict[str, Callable[[str], Cost]] = {
    "parameters": parameters,
    "order": order,
    "curve": curve,
    "strokes": strokes,
    "decimals": decimals,
    "history": history,
}
