"""Whether a photo's left and right edge show the same place: pictures of all around (GPano).

Google's Photo Sphere XMP metadata says how a picture was projected and which part of the whole
sphere it is. Cameras that write two fisheye discs are told by their names.
"""

import re

from photocloak.core import InputError
from photocloak.exporters.metadata.xmp import Packet
from photocloak.exporters.model import Photo
from photocloak.exporters.scanning import parts_of

_SPACES = (
    "http://ns.google.com/photos/1.0/panorama/",
    "http://ns.google.com/videos/1.0/spherical/",
)
_MARKS = (b"ns.google.com", b"n\0s\0.\0g\0o\0o\0g\0l\0e\0.\0c\0o\0m")  # UTF-16 of both orders
_ROUND = ("equirectangular", "cylindrical")
_INSTA360 = b"8db42d694ccc418790edff439fe026bf"  # the end of every file of their cameras
_FISHEYES = re.compile(rb"SM-C200\0|SM-R210\0|Insta360 ")
_UPRIGHT = (1, 2, 3, 4)


def wraps(photo: Photo) -> bool:
    """Tell whether a face may go over from the right edge to the left one.

    Raises:
        InputError: faces may be cut in it where nobody joins them: a cubemap, a strip, two
            fisheye discs, two eyes, or a panorama on its side.

    """
    discs = _two_discs(photo)
    # only PNG packs its XMP; to take a large TIFF apart costs as much memory again
    if not discs and photo.format != "PNG" and not any(one in photo.data for one in _MARKS):
        return False
    parts = [part for _, part in parts_of(photo.data)]
    told = False
    for packet in filter(None, map(_packet, parts)):
        kind, eyes = _said(packet, "ProjectionType"), _said(packet, "StereoMode")
        if not kind and not eyes:
            continue
        told = True
        if kind not in _ROUND or eyes not in ("", "mono"):
            what = eyes if kind in _ROUND else kind
            raise _apart(photo, f"a 360° photo as {what!r}")
        if _is_whole(packet):
            if photo.raster.orientation not in _UPRIGHT:
                raise _apart(photo, "a 360° photo on its side")
            return True
    if not told and discs:
        raise _apart(photo, "a 360° photo that is not stitched yet")
    return False


def _packet(part: bytes) -> Packet | None:
    if not any(one in part for one in _MARKS):
        return None
    try:
        return Packet(part)
    except ValueError:
        return None


def _said(packet: Packet, name: str) -> str:
    found = (packet.text((space, name)) for space in _SPACES)
    return next(filter(None, found), "").casefold()


def _is_whole(packet: Packet) -> bool:
    """Tell whether the picture goes all around; where nothing is said of its part it does."""
    full, part = (
        packet.text((_SPACES[0], name))
        for name in ("FullPanoWidthPixels", "CroppedAreaImageWidthPixels")
    )
    if full.isdecimal() and part.isdecimal():
        return int(part) >= int(full)
    return True


def _two_discs(photo: Photo) -> bool:
    """Tell whether a 360° camera made the picture, of two discs beside each other."""
    height, width = photo.raster.samples.shape[:2]
    if photo.data[-len(_INSTA360) :] == _INSTA360:
        return True
    return width == 2 * height and _FISHEYES.search(photo.data) is not None


def _apart(photo: Photo, what: str) -> InputError:
    return InputError(
        f"{photo.name}: this is {what}, in which a face may be cut in parts; export it as an "
        "equirectangular panorama, or the view that you want as an ordinary photo."
    )
