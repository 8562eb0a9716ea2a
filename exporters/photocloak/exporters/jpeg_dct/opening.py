"""A JPEG opened for changes to its coefficients."""

from photocloak.exporters.jpeg_dct.headers import Headers
from photocloak.exporters.jpeg_dct.progression import Progressive
from photocloak.exporters.jpeg_dct.source import Source
from photocloak.exporters.jpeg_dct.splice import Sequential


def open_source(headers: Headers) -> Source:
    """Read what is needed to change the coefficients of a file.

    Raises:
        UnsupportedError: the data are damaged, or absurd.

    """
    return Progressive(headers) if headers.progressive else Sequential(headers)
