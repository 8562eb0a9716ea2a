"""Hashes and identifiers stay where a property holds one; elsewhere they are digits."""

import random
from functools import partial
from uuid import UUID

import numpy as np
import pytest

from photocloak.exporters.leaks import xmp
from photocloak.exporters.leaks.ledger import Ledger, settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.tables import table
from tests.exporters.leaks.places import packet

PREVIEWS = Previews(np.zeros((8, 8, 3), np.uint8))
MOST = table("limits")["file"]["unread"]
SPACES = (
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:mm="http://ns.adobe.com/xap/1.0/mm/" '
    'xmlns:event="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" '
    'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"'
)
RNG = random.Random(16)
HASHES = [RNG.randbytes(16).hex().upper() for _ in range(60)]
UNIVERSAL = [f"xmp.iid:{UUID(bytes=RNG.randbytes(16), version=4)}" for _ in range(60)]


def ancestors(items: list[str]) -> bytes:
    listed = "".join(f"<rdf:li>{one}</rdf:li>" for one in items)
    bag = f"<rdf:Bag>{listed}</rdf:Bag>"
    return packet(f"<photoshop:DocumentAncestors>{bag}</photoshop:DocumentAncestors>", SPACES)


def left(data: bytes) -> bytes:
    kept, _ = settled(partial(xmp.clean, data), PREVIEWS)
    return kept


@pytest.mark.parametrize("size", [32, 40, 64])
@pytest.mark.parametrize("separator", [" ", "\n", ", "])
def test_hexadecimal_in_lines_is_no_list_of_hashes(size: int, separator: str) -> None:
    """In one text, and in as many as it has lines; with 600 bytes and with 2,000."""
    for count in (600, 2000):
        code = random.Random(size).randbytes(count).hex()
        lines = [code[at : at + size] for at in range(0, len(code), size)]
        for texts in ([separator.join(lines)], lines):
            kept, _ = settled(partial(_admitted, texts), PREVIEWS)
            assert sum(map(len, kept)) / 2 <= MOST


def _admitted(texts: list[str], account: Ledger) -> list[str]:
    return [one for one in texts if account.admits_text(one)]


def test_ancestors_stay_as_programs_write_them() -> None:
    data = ancestors(sorted([*HASHES, *UNIVERSAL]))
    assert left(data) == data


def test_a_list_that_does_not_ascend_is_none_of_ancestors() -> None:
    kept = left(ancestors(HASHES))
    assert 16 * sum(one.encode() in kept for one in HASHES) <= MOST


def test_a_history_of_sixty_steps_stays() -> None:
    steps = "".join(
        f'<rdf:li event:action="saved" event:instanceID="{one}" event:when="2021-05-04T10:11:12Z" '
        'event:softwareAgent="Adobe Photoshop CS5.1 Macintosh" event:changed="/"/>'
        for one in UNIVERSAL
    )
    data = packet(f"<mm:History><rdf:Seq>{steps}</rdf:Seq></mm:History>", SPACES)
    assert left(data) == data


def test_the_settings_of_a_look_stay() -> None:
    """A curve is a curve however deep it lies; masks have an identifier each."""
    points = "".join(f"<rdf:li>{a}, {min(255, a + a % 7)}</rdf:li>" for a in range(0, 256, 2))
    curve = f"<crs:ToneCurvePV2012><rdf:Seq>{points}</rdf:Seq></crs:ToneCurvePV2012>"
    masks = "".join(
        f'<rdf:li><rdf:Description crs:What="Correction" crs:CorrectionSyncID="{one}"/></rdf:li>'
        for one in HASHES[:40]
    )
    body = (
        f'<crs:Look><rdf:Description crs:Name="Adobe Color"><crs:Parameters><rdf:Description>'
        f"{curve}</rdf:Description></crs:Parameters></rdf:Description></crs:Look>"
        f"<crs:MaskGroupBasedCorrections><rdf:Seq>{masks}</rdf:Seq></crs:MaskGroupBasedCorrections>"
    )
    data = packet(body, SPACES)
    assert left(data) == data


def test_padding_stays_and_blanks_that_spell_do_not() -> None:
    rng = random.Random(3)
    spelled = "\n".join(" " * rng.randrange(16) for _ in range(600))
    account = Ledger(PREVIEWS)
    assert account.admits_text("\n   " * 40 + "\n  ")
    assert not account.admits_text(spelled)
