"""A clean face planted in every place a file has for one never gets out."""

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import OutputError
from photocloak.exporters import export, formats, leaks
from photocloak.exporters.containers import chunks, segments
from photocloak.exporters.formats import heic, jpeg, png, tiff, webp
from photocloak.exporters.leaks import previews
from tests.exporters.files import coded
from tests.exporters.leaks.plants import PLANTS, Plant, comment, exif_thumbnail, small

Image = NDArray[np.uint8]
KEEP = exporters.load_policy("keep")
ALL = [(form, plant) for form, plants in PLANTS.items() for plant in plants]
IDS = [plant.__name__ for _, plant in ALL]


@pytest.mark.parametrize(("form", "plant"), ALL, ids=IDS)
def test_a_planted_face_does_not_get_out(
    form: str, plant: Plant, face: Image, mask: Callable[[Image], Image], witness: Any
) -> None:
    data = plant(face)
    photo = exporters.read_bytes(data, f"{plant.__name__}.jpg")
    assert photo.format == form
    assert [one for one in exporters.scan(data) if one.kind == "picture"]
    cloaked = mask(photo.pixels)
    assert witness.leaks(data, cloaked), "the witness must see what was planted"
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    assert witness.leaks(encoded.data, cloaked) == []
    for preset in ("web", "anonymous"):
        policy = exporters.load_policy(preset)
        base = exporters.prepare(photo, policy)
        fresh = exporters.encode(photo, base, mask(base), policy)
        assert witness.leaks(fresh.data, cloaked) == []
        assert [one for one in exporters.scan(fresh.data) if one.kind == "picture"] == []


def switch_off(patch: pytest.MonkeyPatch) -> None:
    """Make every removal do nothing, but leave the judgement of what was written as it is."""

    def off(module: Any, name: str, instead: Callable[[Any], Any]) -> None:
        real = getattr(module, name)

        def clean(parts: Any, account: Any) -> Any:
            judging = account.previews.pixels.shape[:2] == (1, 1)  # it has no pixels to draw
            return real(parts, account) if judging else instead(parts)

        patch.setattr(module, name, clean)

    off(leaks.jpeg, "clean", lambda parts: tuple(one for one in parts if one.is_metadata))
    off(leaks.png, "clean", lambda parts: parts)
    off(webp, "_clean", lambda parts: [one for one in parts if one.name == b"EXIF"])
    patch.setattr(tiff, "cut", lambda *_: None)
    off(tiff, "_sweep", lambda _: None)
    whole = heic.keep

    def with_thumbnail(photo: exporters.Photo, base: Image, cloaked: Image) -> Any:
        draft = whole(photo, base, cloaked)
        return type(draft)(draft.data + small(base), draft.notes, draft.written)

    for form, keep in (("HEIC", with_thumbnail),):
        old = formats.FORMATS[form]
        patch.setitem(formats.FORMATS, form, type(old)(**{**old.__dict__, "keep": keep}))
    for form, module in (("JPEG", jpeg), ("PNG", png), ("WebP", webp)):
        old = formats.FORMATS[form]
        patch.setitem(formats.FORMATS, form, type(old)(**{**old.__dict__, "keep": _tail(module)}))


def _tail(module: Any) -> Any:
    """Return the format's `keep`, but with what followed the picture in the source."""

    def keep(photo: exporters.Photo, base: Image, cloaked: Image) -> Any:
        draft = module.keep(photo, base, cloaked)
        rest = b""
        if module is jpeg:
            rest = photo.data[segments.split(photo.data).end :]
        elif module is png:
            rest = chunks.split(photo.data)[1]
        return type(draft)(draft.data + rest, draft.notes, draft.written)

    return keep


@pytest.mark.parametrize(("form", "plant"), ALL, ids=IDS)
def test_without_the_removal_the_gate_holds_the_file_back(
    form: str,
    plant: Plant,
    face: Image,
    mask: Callable[[Image], Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = exporters.read_bytes(plant(face), f"{plant.__name__}.jpg")
    switch_off(monkeypatch)
    with pytest.raises(OutputError, match="held back"):
        exporters.encode(photo, photo.pixels, mask(photo.pixels), KEEP)


@pytest.mark.parametrize(
    "plant", [p for f, p in ALL if f in ("JPEG", "PNG", "TIFF")], ids=lambda p: p.__name__
)
def test_without_removal_and_gate_the_witness_sees_the_face(
    plant: Plant,
    face: Image,
    mask: Callable[[Image], Image],
    witness: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = exporters.read_bytes(plant(face), f"{plant.__name__}.jpg")
    switch_off(monkeypatch)
    monkeypatch.setattr(export, "_check", lambda *_: None)
    cloaked = mask(photo.pixels)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    assert witness.leaks(encoded.data, cloaked)


def test_a_preview_is_made_anew_at_the_length_it_had(
    face: Image, mask: Callable[[Image], Image]
) -> None:
    data = exif_thumbnail(face)
    photo = exporters.read_bytes(data, "a.jpg")
    cloaked = mask(photo.pixels)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    before, after = (segments.split(one).segments[1].payload for one in (data, encoded.data))
    assert len(before) == len(after)
    at = after.index(b"\xff\xd8\xff")
    assert before[:at] == after[:at]
    shown = np.asarray(Pillow.open(io.BytesIO(after[at:])).convert("L").resize((24, 24)), float)
    wanted = np.asarray(Pillow.fromarray(cloaked).convert("L").resize((24, 24)), float)
    assert np.corrcoef(shown.ravel(), wanted.ravel())[0, 1] > 0.9


def test_a_preview_too_small_for_its_place_is_blanked(face: Image) -> None:
    tiny = coded(np.full((8, 8, 3), 128, np.uint8), quality=50, optimize=True)
    assert len(tiny) < 400
    maker = previews.Previews(face)
    assert maker.overwrite(b"xx" + tiny) == b"xx" + bytes(len(tiny))
    assert (maker.replaced, maker.blanked) == (0, 1)


def test_a_note_names_what_went_and_quotes_nothing_of_it(face: Image) -> None:
    photo = exporters.read_bytes(comment(face), "a.jpg")
    encoded = exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    assert len(encoded.notes) == 1
    assert re.fullmatch(r"dropped: comment, \d kB, neither short nor readable", encoded.notes[0])
