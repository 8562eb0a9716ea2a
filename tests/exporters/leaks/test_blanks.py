"""White space spells no bits, wherever a file may have some; indents and padding stay."""

from collections.abc import Callable
from random import Random

import pytest

from photocloak.exporters.leaks.blanks import blanks_cost
from photocloak.exporters.leaks.costs import FREE
from tests.exporters.leaks import places
from tests.exporters.leaks.planting import ALLOWED
from tests.exporters.leaks.test_series import out

ALPHABETS = ("\t ", "\n ", "\n\t", "\r ", "\0 ", "\0\n", "\r\n")
RUN = 40  # characters in a row that must not get out


def bits(alphabet: str, count: int = 1200) -> str:
    rng = Random(count)
    return "".join(rng.choice(alphabet) for _ in range(count))


def runs_left(planted: str, written: bytes) -> int:
    data = planted.encode()
    return sum(data[i : i + RUN] in written for i in range(0, len(data) - RUN, RUN))


SPACE = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
XMP: dict[str, Callable[[str], bytes]] = {
    "a value": lambda some: places.packet(f"<dc:source>{some}</dc:source>", SPACE),
    "around a value": lambda some: places.packet(f"<dc:source>{some}a{some}</dc:source>", SPACE),
    "an attribute": lambda some: places.packet("", f'{SPACE} dc:source="{some}"'),
    "around an attribute": lambda some: places.packet("", f'{SPACE} dc:source="{some}a{some}"'),
    "a name space": lambda some: places.packet("", f'xmlns:v="{some}"'),
    "between attributes": lambda some: places.packet("", f'{SPACE} {some} dc:source="a"'),
    "between elements": lambda some: places.packet(
        f"<dc:source>a</dc:source>{some}<dc:format>b</dc:format>", SPACE
    ),
    "in a tag": lambda some: places.packet(f"<dc:source>a</dc:source {some}>", SPACE),
    "behind the packet": lambda some: places.packet("", SPACE, behind=some),
    "before the packet": lambda some: places.packet("", SPACE, before=some),
    "instead of a packet": lambda some: some.encode(),
}


@pytest.mark.parametrize("alphabet", [one for one in ALPHABETS if "\0" not in one])
@pytest.mark.parametrize("where", XMP)
def test_bits_get_out_nowhere_in_xmp(where: str, alphabet: str) -> None:
    some = bits(alphabet)
    assert runs_left(some, out(xmp=XMP[where](some))) == 0


@pytest.mark.parametrize("alphabet", [one for one in ALPHABETS if "\0" not in one])
def test_items_of_blanks_spell_no_more_than_a_file_may_hold(alphabet: str) -> None:
    some = bits(alphabet, 12_000)
    items = "".join(f"<rdf:li>{some[i : i + 44]}</rdf:li>" for i in range(0, len(some), 44))
    written = out(xmp=places.packet(f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>", SPACE))
    left = sum(some[i : i + 44].encode() in written for i in range(0, len(some), 44))
    assert left * 44 / 8 < ALLOWED


def test_bits_as_references_get_out_nowhere() -> None:
    some = bits("\t ").replace("\t", "&#9;").replace(" ", "&#32;")
    assert runs_left(some, out(xmp=XMP["an attribute"](some))) == 0


EXIF: dict[str, Callable[[bytes], bytes]] = {
    "a description": lambda some: places.exif_of([(0x010E, 2, some)], [places.DATE]),
    "around a description": lambda some: places.exif_of(
        [(0x010E, 2, some + b"a cat" + some)], [places.DATE]
    ),
    "a comment": lambda some: places.exif_of([], [places.DATE, (0x9286, 7, b"ASCII\0\0\0" + some)]),
    "a wide comment": lambda some: places.exif_of(
        [], [places.DATE, (0x9286, 7, b"UNICODE\0" + some.decode().encode("utf-16-le"))]
    ),
    "a title": lambda some: places.exif_of(
        [(0x9C9B, 1, some.decode().encode("utf-16-le"))], [places.DATE]
    ),
}


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("where", EXIF)
def test_bits_get_out_nowhere_in_exif(where: str, alphabet: str) -> None:
    some = bits(alphabet)
    written = out(exif=EXIF[where](some.encode()))
    assert runs_left(some, written) == 0
    assert runs_left(some, written.replace(b"\0", b"")) == 0 or "\0" in alphabet


@pytest.mark.parametrize(
    "text",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "a caption" + "\n" * 300,
        "a line\r\n\r\nanother\r\n\r\n\tone with an indent\r\n",
        "\n" + "      \n" * 40,
        "\n".join(f"    {word}" for word in ["a", "poem", "of", "lines", "with", "indents"]),
        " " * 2000,
    ],
)
def test_indents_and_padding_cost_nothing(text: str) -> None:
    assert blanks_cost(text) == FREE


def test_a_packet_with_its_usual_padding_stays_as_it_is() -> None:
    padding = ("\n" + " " * 100) * 20 + "\n"
    packet = places.packet(
        "\n   <dc:source>a cat</dc:source>\n  ",
        f"\n    {SPACE}\n    dc:format='image/jpeg'",
        behind=padding + "<?xpacket end='w'?>",
    )
    assert packet in out(xmp=packet)
