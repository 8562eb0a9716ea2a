"""GIMP's images: what is visible goes out as a file, and comes back as a layer with a mask.

Part of photocloak, GPL-3.0-or-later. The user's image is only read here, until `insert`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from cloaking import CloakError, grown
from gi.repository import Gegl, Gimp, Gio

MARK = "photocloak-layer"
"""The parasite by which a layer of ours is known."""
KEPT = 1 | 2  # GIMP_PARASITE_PERSISTENT, GIMP_PARASITE_UNDOABLE

AROUND = 0.5
"""How much of a selection's size is looked at on each side of it: a face needs surroundings."""
REACH = 0.75
"""How far a cloak reaches beyond the box of its face at most, in sizes of the box."""

EXPORTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "TIFF": ("file-tiff-export", {"compression": "none"}),
    "PNG": ("file-png-export", {"compression": 1}),
    "JPEG": ("file-jpeg-export", {"quality": 0.95, "sub-sampling": "sub-sampling-1x1"}),
    "WebP": ("file-webp-export", {"lossless": True}),
}
"""GIMP's procedures, and what they must not take from what the user has saved as defaults."""
PRECISIONS = (Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U16_NON_LINEAR)
"""What photocloak can be given."""
METADATA = ("exif", "iptc", "xmp")
OMITTED = ("thumbnail", "comment")


@dataclass(frozen=True)
class Selected:
    """What part of an image the user has selected: x, y, width, height of what to look at."""

    x: int
    y: int
    width: int
    height: int
    whole: bool


def is_ours(layer: Gimp.Layer) -> bool:
    """Tell whether photocloak made a layer."""
    return layer.get_parasite(MARK) is not None


def all_layers(layers: Sequence[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    """Go through layers and groups."""
    for layer in layers:
        yield layer
        if layer.is_group():
            yield from all_layers(layer.get_children())


def hidden_cloak(image: Gimp.Image) -> str | None:
    """Return the name of a layer of ours that is hidden, if there is one."""
    layers = all_layers(image.get_layers())
    return next((one.get_name() for one in layers if is_ours(one) and not one.get_visible()), None)


def selected(image: Gimp.Image) -> Selected:
    """Return where to look for faces: the selection and its surroundings, or everything."""
    width, height = image.get_width(), image.get_height()
    _, some, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not some:
        return Selected(0, 0, width, height, whole=True)
    by_x, by_y = round((right - left) * AROUND), round((bottom - top) * AROUND)
    left, top = max(0, left - by_x), max(0, top - by_y)
    right, bottom = min(width, right + by_x), min(height, bottom + by_y)
    return Selected(left, top, right - left, bottom - top, whole=False)


@contextmanager
def visible(image: Gimp.Image, part: Selected | None = None) -> Iterator[Gimp.Image]:
    """Give a private copy with one layer: what is visible, without the layers that are ours.

    It is RGB or gray, of 8 or 16 bits, with the image's profile and metadata.

    Raises:
        CloakError: nothing is visible, or it cannot be shown as it is.

    """
    if image.get_floating_sel() is not None:
        raise CloakError("Anchor the floating selection first (Layer > Anchor Layer).")
    copy = image.duplicate()
    try:
        copy.undo_disable()
        Gimp.Selection.none(copy)
        for layer in list(all_layers(copy.get_layers())):
            if layer.is_valid() and is_ours(layer):
                copy.remove_layer(layer)
        picture = Gimp.Layer.new_from_visible(copy, copy, "photo")
        for item in copy.get_layers():
            copy.remove_layer(item)
        for item in copy.get_channels():
            copy.remove_channel(item)
        for item in copy.get_paths():
            copy.remove_path(item)
        copy.insert_layer(picture, None, 0)
        if part is not None:
            copy.crop(part.width, part.height, part.x, part.y)
        if copy.get_base_type() == Gimp.ImageBaseType.INDEXED:
            copy.convert_rgb()
        if copy.get_precision() not in PRECISIONS:
            copy.convert_precision(Gimp.Precision.U16_NON_LINEAR)
        if is_opaque(picture):
            picture.flatten()
        yield copy
    finally:
        copy.delete()


def is_opaque(layer: Gimp.Layer) -> bool:
    """Tell whether nothing shines through a layer, within the selection of its image."""
    if not layer.has_alpha():
        return True
    _, _mean, _deviation, _median, pixels, count, _ = layer.histogram(
        Gimp.HistogramChannel.ALPHA, 1.0, 1.0
    )
    return count == pixels


def write(image: Gimp.Image, path: Path, form: str, *, metadata: bool) -> None:
    """Write a picture that `visible` gave as a file of a format.

    Raises:
        CloakError: GIMP cannot.

    """
    name, options = EXPORTS[form]
    procedure = Gimp.get_pdb().lookup_procedure(name)
    if procedure is None:
        raise CloakError(f"This GIMP cannot write {form}: it has no {name}.")
    config = procedure.create_config()
    values: dict[str, Any] = {"image": image, "file": Gio.File.new_for_path(str(path)), **options}
    values |= {f"include-{one}": metadata for one in METADATA}
    values |= {f"include-{one}": False for one in OMITTED}
    values["include-color-profile"] = True
    for key, value in values.items():
        if procedure.find_argument(key):  # WebP has no comment
            config.set_property(key, value)
    result = procedure.run(config)
    if result.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise CloakError(f"GIMP cannot hand the picture over: {Gimp.get_pdb().get_last_error()}")


def choose(
    image: Gimp.Image, part: Selected, faces: Sequence[Mapping[str, Any]]
) -> tuple[list[Sequence[int]], list[Sequence[int]]]:
    """Sort the boxes of faces that were cloaked into those to be shown, and the others.

    With a selection, a face is shown if its middle is selected, and then as a whole.

    Raises:
        CloakError: no face is left.

    """
    boxes = [face["box"] for face in faces if face["cloaked"]]
    chosen = [box for box in boxes if part.whole or _is_selected(image, part, box)]
    if not chosen:
        raise CloakError(
            "There is no face in the selection; select around a whole face, or nothing."
        )
    return chosen, [box for box in boxes if box not in chosen]


def _is_selected(image: Gimp.Image, part: Selected, box: Sequence[int]) -> bool:
    x, y, width, height = box
    return Gimp.Selection.value(image, part.x + x + width // 2, part.y + y + height // 2) > 127


def cloaked_layer(
    copy: Gimp.Image, path: Path, chosen: list[Sequence[int]], others: list[Sequence[int]]
) -> Gimp.Layer:
    """Load a cloaked picture into its clean copy, with a mask that shows the chosen faces.

    The mask shows every pixel that changed, and what these surround.

    Raises:
        CloakError: nothing has changed, or something shines through where a face is.

    """
    (clean,) = copy.get_layers()
    cloaked = Gimp.file_load_layer(
        Gimp.RunMode.NONINTERACTIVE, copy, Gio.File.new_for_path(str(path))
    )
    if cloaked is None:
        raise CloakError(
            f"GIMP cannot read back what photocloak wrote: {Gimp.get_pdb().get_last_error()}"
        )
    copy.insert_layer(cloaked, None, 0)
    _select_changes(copy, cloaked)
    if others:
        _leave_out(copy, chosen, others)
    if Gimp.Selection.is_empty(copy):
        raise CloakError("photocloak changed nothing in this picture.")
    if not is_opaque(clean):
        raise CloakError(
            "The picture is see-through where a face is, so that what lies below would show; "
            "put an opaque layer below (Layer > New Layer)."
        )
    cloaked.add_mask(cloaked.create_mask(Gimp.AddMaskType.SELECTION))
    return cloaked


def _select_changes(copy: Gimp.Image, cloaked: Gimp.Layer) -> None:
    """Select what differs between the two layers, without holes.

    Numbers are compared, not colours: in sRGB, in which GIMP looks for a threshold, differences of
    wider spaces can be brighter than white.
    """
    gray = copy.get_base_type() == Gimp.ImageBaseType.GRAY
    plain = Gimp.ColorProfile.new_d65_gray_srgb_trc if gray else Gimp.ColorProfile.new_rgb_srgb
    profile = copy.get_color_profile()
    if profile is not None:
        copy.set_color_profile(plain())
    cloaked.set_mode(Gimp.LayerMode.DIFFERENCE)
    difference = Gimp.Layer.new_from_visible(copy, copy, "difference")
    cloaked.set_mode(Gimp.LayerMode.NORMAL)
    copy.insert_layer(difference, None, 0)
    Gimp.context_push()
    Gimp.context_set_background(Gegl.Color.new("black"))
    difference.flatten()  # what cannot be seen does not differ
    Gimp.context_pop()
    levels = 255 if copy.get_precision() == Gimp.Precision.U8_NON_LINEAR else 65535
    difference.threshold(Gimp.HistogramChannel.VALUE, 0.5 / levels, 1.0)
    component = Gimp.ChannelType.GRAY if gray else Gimp.ChannelType.RED
    changes = Gimp.Channel.new_from_component(copy, component, "changes")
    copy.insert_channel(changes, None, 0)
    copy.remove_layer(difference)
    copy.select_item(Gimp.ChannelOps.REPLACE, changes)
    copy.remove_channel(changes)
    if profile is not None:
        copy.set_color_profile(profile)
    Gimp.Selection.flood(copy)


def _leave_out(copy: Gimp.Image, chosen: list[Sequence[int]], others: list[Sequence[int]]) -> None:
    """Take the other faces out of the selection."""
    changes = Gimp.Selection.save(copy)
    Gimp.Selection.none(copy)
    for box in chosen:
        copy.select_rectangle(Gimp.ChannelOps.ADD, *grown(box, REACH))
    for box in others:
        copy.select_rectangle(Gimp.ChannelOps.SUBTRACT, *box)
    copy.select_item(Gimp.ChannelOps.INTERSECT, changes)
    copy.remove_channel(changes)


def insert(image: Gimp.Image, layer: Gimp.Layer, name: str, part: Selected) -> Gimp.Layer:
    """Put a layer with its mask on top of the user's image, as one step that can be undone."""
    image.undo_group_start()
    try:
        new = Gimp.Layer.new_from_drawable(layer, image)
        new.set_name(name)
        new.set_offsets(part.x, part.y)
        new.attach_parasite(Gimp.Parasite.new(MARK, KEPT, list(name.encode())))
        image.insert_layer(new, None, 0)
    finally:
        image.undo_group_end()
    return new
