"""When a photo was taken, as metadata say it: in one form, no more of it than is known.

That form is XMP's (ISO 8601): `2019-07-04`, `2019-07-04T10:11:12`, `2019-07-04T10:11:12+02:00`.
"""

import re

_XMP = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_EXIF = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)(?:[ T](\d\d):(\d\d):(\d\d))?[\s:]*")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_IPTC_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)([+-]\d{4})?")


def from_xmp(text: str) -> str:
    """Return a date of XMP's, empty where it is none."""
    match = _XMP.fullmatch(text.strip())
    return _joined(*match.groups()) if match else ""


def from_exif(text: str, offset: str = "") -> str:
    """Return a date of EXIF's with its time zone, empty where it is none; blanks are unknown."""
    match = _EXIF.fullmatch(text)
    if match is None:
        return ""
    return _joined(*match.groups(), offset if _OFFSET.fullmatch(offset) else None)


def from_iptc(date: str, time: str) -> str:
    """Return IPTC's datasets 2:55 and 2:60, empty where they are none; 00 is unknown."""
    match = re.fullmatch(r"(\d{4})-?(\d\d)-?(\d\d)", date.strip())
    clock = _IPTC_TIME.fullmatch(time.strip().replace(":", ""))
    if match is None:
        return ""
    if clock is None:
        return _joined(*match.groups())
    zone = f"{clock[4][:3]}:{clock[4][3:]}" if clock[4] else None
    return _joined(*match.groups(), clock[1], clock[2], clock[3], zone)


def _joined(*parts: str | None) -> str:
    """Return year, month, day, hour, minute, second and zone, to the first that is not known."""
    year, month, day, hour, minute, second, zone = [*parts] + [None] * (7 - len(parts))
    if not year or year == "0000":
        return ""
    if not month or not 1 <= int(month) <= 12:
        return year
    if not day or not 1 <= int(day) <= 31:
        return f"{year}-{month}"
    if hour is None or minute is None or int(hour) > 23 or int(minute) > 59:
        return f"{year}-{month}-{day}"
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or ''}"


def fullest(dates: list[str]) -> str:
    """Return the first date; a later one where that says the same and more."""
    found = ""
    for one in dates:
        found = one if not found or one.startswith(found) else found
    return found


def to_exif(date: str) -> tuple[str, str]:
    """Return EXIF's date and time and its offset; empty where the time, or the zone, is unknown."""
    match = _XMP.fullmatch(date)
    if match is None or match[4] is None:
        return "", ""
    zone = "+00:00" if match[7] == "Z" else match[7] or ""
    return f"{match[1]}:{match[2]}:{match[3]} {match[4]}:{match[5]}:{match[6]}", zone
