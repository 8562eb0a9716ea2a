"""digiKam: workflows of the Batch Queue Manager, and entries of "Open With > Other".

digiKam keeps all workflows in one file, `queue.xml`, and runs the script of ours as a shell's `-c`;
what the script guards against stands in `manifests/hosts/digikam/cloak.sh`.

After a queue digiKam writes tags, people's names among them, caption and place from its database
into each result, unless one of the tools was of its group for metadata. So the last tool of each
workflow is "Remove Metadata" with nothing chosen to be removed, which hands the file on as it is:
what lies in the album is, byte for byte, what photocloak has checked (digiKam 8.6,
actiontask.cpp and removemetadata.cpp; the same in 7.9).
"""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element as Xml

import platformdirs

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin.bridges.base import Bridge, Element, Part, program, shipped
from photocloak.plugin.bridges.desktop import desktop_entries, forget_types
from photocloak.plugin.bridges.menus import REVIEW
from photocloak.plugin.settings import Settings, load_settings
from photocloak.plugin.storage.folders import Folders

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
# digiKam lists workflows from Z to A; the one to publish comes first.
TO_PUBLISH = "Publish with cloaked faces (photocloak)"
TO_WORK_ON = "Keep the rest, cloak faces (photocloak)"

NOTHING_REMOVED = {f"Remove{kind}": ("bool", "false") for kind in ("Exif", "Iptc", "Xmp")} | {
    f"{kind}Data": ("int", "0") for kind in ("Exif", "Iptc", "Xmp")
}
"""What "Remove Metadata" is given."""

FILE_TYPES = {"JPEG": 1, "PNG": 2, "TIFF": 3}
"""What the tool calls the file types that it knows; 0 is that of the photo."""


@dataclass(frozen=True)
class Workflow:
    """One of digiKam's workflows.

    Attributes:
        title: what it is called.
        preset: what metadata and size the results keep.
        file_type: of the results, as the tool numbers them.

    """

    title: str
    preset: str
    file_type: int


def workflows(folders: Folders) -> tuple[Workflow, ...]:
    """Return the one to publish, and the one to work on with all but the faces kept.

    Raises:
        ConfigError: the settings cannot be read, or name a preset that is not there.

    """
    preset = load_settings(folders.settings).preset_to_publish
    policy = exporters.load_policy(preset, folders.config / "presets")
    return (
        Workflow(TO_PUBLISH, preset, FILE_TYPES.get(policy.format or "", 0)),
        Workflow(TO_WORK_ON, Settings().preset, 0),
    )


class Digikam(Bridge):
    """The workflows, and the desktop entries."""

    name = "digikam"
    title = "digiKam"

    def files(self) -> Mapping[Path, Part]:
        """Return the workflows for `queue.xml`, and the entries that digiKam lets one choose."""
        queue = platformdirs.user_data_path("digikam") / "queue.xml"
        command = program()
        markup = "\n".join(element(command, one) for one in workflows(Folders.of_user()))
        return {queue: Element(markup, EMPTY), **desktop_entries()}

    def probe(self) -> str:
        """Say whether there is a digiKam to run it."""
        if shutil.which("digikam") is None:
            raise ConfigError(
                "the workflows are in place, but there is no `digikam` on your PATH. Install it "
                "from your distribution (Debian, Ubuntu: sudo apt install digikam). A Flatpak or "
                "Snap of digiKam cannot start photocloak: use the watched folder there."
            )
        return f"{TO_PUBLISH!r} and {TO_WORK_ON!r} are in digiKam's Batch Queue Manager"

    def advice(self, *, installed: bool) -> str:
        """Say that digiKam must not be running, and where the workflow is."""
        closed = "digiKam writes its workflows when it ends: if it is running, quit it and repeat."
        if not installed:
            return closed
        return (
            f"{closed}\nIn the Batch Queue Manager (B) the workflows are called {TO_PUBLISH!r} "
            f"and {TO_WORK_ON!r}. {REVIEW.name!r} is below Open With > Other. "
            "See docs/howto/digikam.md."
        )

    def refresh(self) -> None:
        """Have the types of earlier versions of the entries forgotten."""
        forget_types()


def element(command: Path, workflow: Workflow) -> str:
    """Return a workflow as an element of `queue.xml`."""
    queue = Xml("queue")
    about = shipped("digikam", "about.txt").strip().replace("@PRESET@", workflow.preset)
    titles = {"queuetitle": workflow.title, "queuedesc": about}
    for tag, value in (titles | SETTINGS).items():
        ElementTree.SubElement(queue, tag, value=value)
    script = {
        "Output filetype": ("int", str(workflow.file_type)),
        "Script": ("QString", wrapper(command, workflow.preset)),
    }
    for index, (name, group, parameters) in enumerate(
        (("UserScript", "1", script), ("RemoveMetadata", "8", NOTHING_REMOVED))
    ):
        tool = ElementTree.SubElement(queue, "tool")
        named = {"toolname": name, "toolgroup": group, "index": str(index), "version": "1"}
        for tag, value in named.items():
            ElementTree.SubElement(tool, tag, value=value)
        for called, (kind, value) in parameters.items():
            ElementTree.SubElement(tool, "parameter", name=called, type=kind, value=value)
    ElementTree.indent(queue, level=1)
    return ElementTree.tostring(queue, encoding="unicode")


def wrapper(command: Path, preset: str) -> str:
    """Return the script that digiKam runs for each photo."""
    text = shipped("digikam", "cloak.sh").replace("@PHOTOCLOAK@", shlex.quote(str(command)))
    return text.replace("@PRESET@", shlex.quote(preset))
