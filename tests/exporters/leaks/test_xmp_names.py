"""What nobody reads of a packet holds nothing: names, prefixes, and what wraps it."""

import os
from random import Random

import pytest

from photocloak import exporters
from tests.exporters.leaks import places
from tests.exporters.leaks.encodings import coded
from tests.exporters.leaks.hidden_places import jpeg_with, names
from tests.exporters.leaks.hosts import FACE
from tests.exporters.leaks.planting import ALLOWED, innocent, survives
from tests.exporters.leaks.test_series import out

SEED = int(os.environ.get("PHOTOCLOAK_SEED", "0"))
LIGHTROOM = "http://ns.adobe.com/camera-raw-settings/1.0/"
DC = "http://purl.org/dc/elements/1.1/"


@pytest.mark.parametrize("seed", range(SEED, SEED + 60))
def test_no_face_gets_out_in_names(seed: int) -> None:
    rng = Random(seed)
    _, face = coded(FACE, rng)
    packet, planted, each = names(face[:9000], rng)
    assert each * survives(planted, out(xmp=packet), innocent("JPEG")) <= ALLOWED


def test_a_program_s_many_names_stay() -> None:
    colours = ("Red", "Green", "Blue", "Aqua", "Orange", "Purple", "Magenta", "Yellow")
    kinds = ("HueAdjustment", "SaturationAdjustment", "LuminanceAdjustment", "ToneCurvePV2012")
    called = [kind + colour for kind in kinds for colour in colours]
    called += ["Exposure2012", "Contrast2012", "Highlights2012", "Shadows2012", "Whites2012"]
    settings = " ".join(f'crs:{name}="+5"' for name in called)
    packet = places.packet("", f'xmlns:crs="{LIGHTROOM}" {settings}')
    assert packet in out(xmp=packet)


def test_a_packet_may_be_wrapped_once() -> None:
    before = "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
    packet = places.packet("", before=before, behind="<?xpacket end='w'?>")
    assert packet in out(xmp=packet)
    for behind in (
        "<?xpacket end='w'?><?xpacket id='secret'?>",
        "<?xpacket end='w' id='secret' id='secret'?>",
    ):
        again = places.packet("", before=before, behind=behind)
        assert b"secret" not in out(xmp=again)


@pytest.mark.parametrize(
    "said", ['version="1.0secret"', 'version="1.0" encoding="Asecret1234567890"']
)
def test_a_declaration_says_what_xml_is(said: str) -> None:
    assert b"secret" not in out(xmp=places.packet("", before=f"<?xml {said}?>"))
    plain = places.packet("", before='<?xml version="1.0" encoding="UTF-8"?>')
    assert plain in out(xmp=plain)


def test_a_name_that_cannot_be_read_is_not_repeated() -> None:
    name = "".join(Random(3).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=500))
    packet = places.packet(f"<d:{name}>a</d:{name}>", f'xmlns:d="{DC}"')
    photo = exporters.read_bytes(jpeg_with(packet), "a.jpg")
    encoded = exporters.encode(photo, photo.pixels, photo.pixels, exporters.load_policy("keep"))
    assert any("XMP property" in note for note in encoded.notes)
    assert not any(name in note for note in encoded.notes)
