"""The workflow in digiKam's queue: put, and taken away again without touching the user's own."""

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from photocloak.plugin import Folders
from photocloak.plugin.bridges.base import install, program, uninstall
from photocloak.plugin.bridges.digikam import Digikam, element, workflows, wrapper

PRESETS = ["web", "keep"]


@pytest.mark.parametrize(("index", "file_type"), [(0, "1"), (1, "0")])
def test_the_workflow_is_what_digikam_reads(folders: Folders, index: int, file_type: str) -> None:
    one = workflows(folders)[index]
    queue = ElementTree.fromstring(element(Path("/opt/photo cloak"), one))
    assert queue[0].attrib == {"value": one.title}
    assert "preset " + PRESETS[index] in queue[1].attrib["value"]
    values = {one.get("name"): one.get("value") for one in queue.iter("parameter")}
    script = values["Script"] or ""
    assert script == wrapper(Path("/opt/photo cloak"), PRESETS[index])
    assert f"--preset {PRESETS[index]} " in script and values["Output filetype"] == file_type
    assert (script.count("$INPUT"), script.count("$OUTPUT")) == (1, 1)
    assert {one.tag: one.get("value") for one in queue}["conflictrule"] == "1"  # never over a file


def test_the_last_tool_keeps_digikam_from_writing_names_and_removes_nothing(
    folders: Folders,
) -> None:
    for one in workflows(folders):
        tools = list(ElementTree.fromstring(element(Path("/opt/photocloak"), one)).iter("tool"))
        names = [tool.find("toolname").get("value") for tool in tools]  # type: ignore[union-attr]
        assert names == ["UserScript", "RemoveMetadata"]
        removed = {p.get("name"): p.get("value") for p in tools[-1].iter("parameter")}
        assert {removed[f"Remove{kind}"] for kind in ("Exif", "Iptc", "Xmp")} == {"false"}


def test_the_preset_of_the_settings_publishes(folders: Folders) -> None:
    folders.config.mkdir(parents=True)
    folders.settings.write_text('preset = "anonymous"\n')
    publish, work = workflows(folders)
    assert (publish.preset, publish.file_type, work.preset) == ("anonymous", 0, "keep")


@pytest.fixture
def queue_xml(folders: Folders) -> Path:
    path = Path(os.environ["XDG_DATA_HOME"]) / "digikam" / "queue.xml"
    path.parent.mkdir(parents=True)
    return path


OWN = """<!DOCTYPE XMLQueueList>
<queuelist version="2.0" client="digikam" encoding="UTF-8">
    <queue>
        <queuetitle value="Gr&#xf6;&#xdf;er &lt;b> 1>2"/>
        <tool><toolname value="Resize"/></tool>
    </queue>
</queuelist>
"""


def test_the_users_own_workflows_stay(queue_xml: Path, folders: Folders) -> None:
    queue_xml.write_text(OWN)
    bridge = Digikam()
    assert queue_xml in install(bridge, folders).done
    titles = [one.get("value") for one in ElementTree.parse(queue_xml).iter("queuetitle")]
    assert titles == ["Größer <b> 1>2", *(one.title for one in workflows(folders))]
    change = uninstall(bridge, folders)
    assert queue_xml in change.done and not change.left
    assert queue_xml.read_text() == OWN


def rewritten(text: str) -> str:
    """Return the file as digiKam writes it anew: other layout, and settings that it knows of."""
    root = ElementTree.fromstring(text)
    for queue in root:
        queue.insert(5, ElementTree.Element("webpcompression", value="75"))
    ElementTree.indent(root, space="    ")
    return "<!DOCTYPE XMLQueueList>\n" + ElementTree.tostring(root, encoding="unicode") + "\n"


@pytest.mark.parametrize("own", [OWN, ""])
def test_removal_after_digikam_has_rewritten_its_file(
    queue_xml: Path, folders: Folders, own: str
) -> None:
    if own:
        queue_xml.write_text(own)
    install(Digikam(), folders)
    queue_xml.write_text(rewritten(queue_xml.read_text()))
    assert queue_xml in uninstall(Digikam(), folders).done
    if own:
        titles = [one.get("value") for one in ElementTree.parse(queue_xml).iter("queuetitle")]
        assert titles == ["Größer <b> 1>2"]
    else:
        assert not queue_xml.exists()


def test_a_workflow_that_the_user_changed_stays(queue_xml: Path, folders: Folders) -> None:
    install(Digikam(), folders)
    changed = queue_xml.read_text().replace("--no-face hold", "--no-face copy")
    queue_xml.write_text(changed)
    assert set(uninstall(Digikam(), folders).left) == {queue_xml}
    assert queue_xml.read_text() == changed


def test_the_installed_script_names_the_installed_photocloak(
    queue_xml: Path, folders: Folders
) -> None:
    install(Digikam(), folders)
    values = [one.get("value") for one in ElementTree.parse(queue_xml).iter("parameter")]
    assert {wrapper(program(), one) for one in PRESETS} <= set(values)


def test_a_workflow_of_two_that_was_deleted_is_put_again(queue_xml: Path, folders: Folders) -> None:
    queue_xml.write_text(OWN)
    install(Digikam(), folders)
    root = ElementTree.fromstring(queue_xml.read_text())
    root.remove(root[1])
    queue_xml.write_text(ElementTree.tostring(root, encoding="unicode"))
    install(Digikam(), folders)
    titles = [one.get("value") for one in ElementTree.parse(queue_xml).iter("queuetitle")]
    assert titles == ["Größer <b> 1>2", *(one.title for one in workflows(folders))]
    uninstall(Digikam(), folders)
    titles = [one.get("value") for one in ElementTree.parse(queue_xml).iter("queuetitle")]
    assert titles == ["Größer <b> 1>2"]
