"""Text in metadata whose character set is not said, or said wrongly."""

_INCOMPLETE = 3  # bytes of UTF-8's longest character but one


def decoded(raw: bytes, encoding: str | None = None) -> str:
    """Return a text without its zeros.

    Args:
        raw: bytes of it.
        encoding: what it is declared to be in; None: nothing. UTF-8 is told by its validity, since
            hardly any other text is valid UTF-8; all else is taken for Windows' Latin-1.

    """
    raw = raw.strip(b"\0").removeprefix(b"\xef\xbb\xbf")
    for one in dict.fromkeys((encoding or "utf-8", "utf-8", "cp1252")):
        try:
            return raw.decode(one)
        except UnicodeDecodeError as error:
            cut = error.reason == "unexpected end of data" and error.start >= len(raw) - _INCOMPLETE
            if one == "utf-8" and cut and not raw[: error.start].isascii():
                return raw[: error.start].decode(one)  # cut off at a field's greatest length
    return raw.decode("latin-1")


def line(text: str) -> str:
    """Return a text on one line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
