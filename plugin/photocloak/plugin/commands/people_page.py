"""The page of `photocloak people list --page`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from photocloak.plugin.assembly import open_results
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.report.destination import write_private
from photocloak.plugin.report.people import page
from photocloak.plugin.storage.folders import Folders


def write(people: Sequence[Person]) -> Path:
    """Write it in the place of the last one, and return where it lies."""
    folders = Folders.of_user()
    path = folders.data / "reports" / "people.html"
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    write_private(path, page(people, open_results(folders), made=made), folders)
    return path
