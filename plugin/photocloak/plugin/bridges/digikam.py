"""digiKam: a workflow of the Batch Queue Manager, and an entry of "Open With".

digiKam keeps all workflows in one file, `queue.xml`, and runs the script of ours as `/bin/sh -c`;
what the script guards against stands in `manifests/hosts/digikam/cloak.sh`.
"""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element as Xml

import platformdirs

from photocloak.core import ConfigError
from photocloak.plugin.bridges.base import Bridge, Element, Part, program, shipped
from photocloak.plugin.bridges.desktop import desktop_entries, forget_types

TITLE = "Cloak faces (photocloak)"

EMPTY = """<!DOCTYPE XMLQueueList>
<queuelist version="2.0" client="digikam" encoding="UTF-8">
</queuelist>
"""

# As digiKam 7.9 writes them: the photo's own album, never over another file, a name of its own.
SETTINGS = {
    "renamingparser": "[file]-cloaked",
    "useoriginalalbum": "1",
    "usemulticorecpu": "0",
    "workingurl": "",
    "conflictrule": "1",
    "renamingrule": "1",
    "rawloadingrule": "1",
}
TOOL = {"toolname": "UserScript", "toolgroup": "1", "index": "0", "version": "1"}


class Digikam(Bridge):
    """The workflow, and the desktop entries."""

    name = "digikam"
    title = "digiKam"

    def files(self) -> Mapping[Path, Part]:
        """Return the workflow for `queue.xml`, and the entries that digiKam lists by MIME type."""
        queue = platformdirs.user_data_path("digikam") / "queue.xml"
        return {queue: Element(workflow(program()), EMPTY), **desktop_entries()}

    def probe(self) -> str:
        """Say whether there is a digiKam to run it."""
        if shutil.which("digikam") is None:
            raise ConfigError(
                "the workflow is in place, but there is no `digikam` on your PATH. Install digiKam "
                "from your distribution (Debian, Ubuntu: sudo apt install digikam). A Flatpak or "
                "Snap of it cannot start photocloak: use the watched folder there."
            )
        return f"the workflow {TITLE!r} is in digiKam's Batch Queue Manager"

    def advice(self, *, installed: bool) -> str:
        """Say that digiKam must not be running, and where the workflow is."""
        closed = "digiKam writes its workflows when it ends: if it is running, quit it and repeat."
        if not installed:
            return closed
        return (
            f"{closed}\nIn the Batch Queue Manager (B) the workflow is called {TITLE!r}; its "
            "description tells what digiKam writes back into results. See docs/howto/digikam.md."
        )

    def refresh(self) -> None:
        """Have the types of earlier versions of the entries forgotten."""
        forget_types()


def workflow(command: Path) -> str:
    """Return the workflow as an element of `queue.xml`."""
    queue = Xml("queue")
    about = shipped("digikam", "about.txt").strip()
    for tag, value in ({"queuetitle": TITLE, "queuedesc": about} | SETTINGS).items():
        ElementTree.SubElement(queue, tag, value=value)
    tool = ElementTree.SubElement(queue, "tool")
    for tag, value in TOOL.items():
        ElementTree.SubElement(tool, tag, value=value)
    for name, kind, value in (
        ("Output filetype", "int", "0"),
        ("Script", "QString", wrapper(command)),
    ):
        ElementTree.SubElement(tool, "parameter", name=name, type=kind, value=value)
    ElementTree.indent(queue, level=1)
    return ElementTree.tostring(queue, encoding="unicode")


def wrapper(command: Path) -> str:
    """Return the script that digiKam runs for each photo."""
    return shipped("digikam", "cloak.sh").replace("@PHOTOCLOAK@", shlex.quote(str(command)))
