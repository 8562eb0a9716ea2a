"""The reference of what is kept says what the tables say."""

from pathlib import Path

from photocloak.exporters.leaks.reference import document
from photocloak.exporters.leaks.tables import table

ROOT = Path(__file__).parents[3]


def test_the_reference_is_current() -> None:
    """After a change of a table: python -m photocloak.exporters.leaks.reference > the file."""
    assert (ROOT / "docs/reference/what-is-kept.md").read_text("utf-8") == document()


def test_every_table_is_in_it() -> None:
    text = document()
    for name in table("jpeg")["segments"]:
        assert f"| {name} |" in text
    for space in table("xmp")["pictures"]:
        assert space in text
