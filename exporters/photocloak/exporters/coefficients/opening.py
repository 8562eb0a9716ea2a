"""A JPEG opened for changes to its coefficients."""

from photocloak.exporters.coefficients.layout import Layout
from photocloak.exporters.coefficients.progression import Progressive
from photocloak.exporters.coefficients.source import Source
from photocloak.exporters.coefficients.splice import Sequential


def open_source(layout: Layout) -> Source:
    """Read what is needed to change the coefficients of a file.

    Raises:
        UnsupportedError: the data are damaged, or absurd.

    """
    return Progressive(layout) if layout.progressive else Sequential(layout)
