"""Real darktable: what people see of photocloak in it, and what stays when it ends."""

import shutil
from pathlib import Path

import pytest

from tests.hosts.darktable import Host, lua, require_darktable, wait_for
from tests.plugin.fakes import write_photo

WIDTH = "xdotool search --onlyvisible --class darktable getwindowgeometry --shell | grep WIDTH"
DIALOG = "xdotool search --onlyvisible --name 'darktable preferences'"
SCENARIO = """
local dt, options = require "darktable", require "photocloak/lib/options"
local view = require("photocloak/lib/reporting").view()
local function width(name)
  local pipe = io.popen({width})
  drive.note(name, pipe:read("a"))
  pipe:close()
end
local function rows(name)
  for _i, row in ipairs(options.widgets()) do
    local ok, label = pcall(function() return row.label end)
    if ok and label:find("^into ") then drive.note(name, label .. "|" .. row.tooltip) end
  end
end
rows("folder")
drive.set({{program = "(null)"}})
options.register()
drive.note("program", options.current().program)
drive.set({{program = {fake}}})
width("width before")
for _i, name in ipairs({{"weak", "raised"}}) do
  drive.set({{folder = {out} .. "/" .. name}})
  drive.export(name, {{ {photo} }})
  dt.control.sleep(500)
  drive.note(name .. " panel", view.text)
  drive.note(name .. " tooltip", view.tooltip)
end
width("width after")
drive.name = "dialog"
drive.set({{program = ""}})
local function dialog(more) return os.execute({dialog} .. more .. " >/dev/null 2>&1") end
dt.gui.action("global/preferences", 0, "", "", 1.0)
drive.wait(function() return dialog("") end)
drive.wait(function() return not dialog(" windowfocus key Escape") end)
drive.note("program after preferences", options.current().program)
"""

# An earlier version asked for a file; of none darktable's dialog stores "(null)", seen at the next
# start.
EARLIER = """
local dt = require "darktable"
dt.preferences.register("photocloak", "program", "file", "photocloak: program", "", "")
dt.control.dispatch(function()
  dt.control.sleep(1000)
  local function dialog(more) return os.execute({dialog} .. more .. " >/dev/null 2>&1") end
  dt.gui.action("global/preferences", 0, "", "", 1.0)
  while not dialog("") do dt.control.sleep(50) end
  while dialog(" windowfocus key Escape") do dt.control.sleep(50) end
  dt.control.sleep(500)
  dt.gui.action("global/quit", 0, "", "", 1.0)
end)
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    require_darktable()
    host = Host(tmp_path / "host").make()
    write_photo(host.root / "photos" / "one.jpg", 60, 90)
    return host


def test_what_the_panel_says(host: Host) -> None:
    if shutil.which("xdotool") is None:
        pytest.skip("not installed: xdotool")
    said, status = host.run(
        SCENARIO.format(
            width=lua(WIDTH),
            dialog=lua(DIALOG),
            fake=lua(host.fake()),
            out=lua(host.root / "out"),
            photo=lua(host.root / "photos" / "one.jpg"),
        )
    )
    assert (status, said["scenario"]) == (0, "done")
    folder = host.root / "home" / "Pictures" / "cloaked"
    assert not folder.exists()
    assert said["folder"] == f"into {folder}|{folder}"
    assert said["program"].endswith("/photocloak")
    assert "dialog" not in said  # else it did not come, or did not go
    assert said["program after preferences"] == said["program"]
    assert b"lua/photocloak/program=\n" in host.settings.read_bytes()
    short = "one.jpg: the cloak is too weak; try a stronger mode"
    assert said["weak panel"] == f"photocloak: 0 of 1 photos cloaked, 1 not written\n{short}"
    assert said["weak tooltip"].startswith("one.jpg: long reason long reason")
    assert said["raised"] == said["raised panel"]
    assert said["raised panel"] == (
        "photocloak: 1 of 1 photos cloaked, 1 of them with a remark\n"
        "one.jpg: a face got the budget of strong"
    )
    assert said["width before"] == said["width after"] != ""


def test_a_program_that_an_earlier_version_stored_for_nothing_is_none(tmp_path: Path) -> None:
    require_darktable()
    if shutil.which("xdotool") is None:
        pytest.skip("not installed: xdotool")
    host = Host(tmp_path / "host").folders()
    assert host.start(EARLIER.format(dialog=lua(DIALOG)), {}) == 0
    assert b"lua/photocloak/program=(null)\n" in host.settings.read_bytes()
    host.photocloak("install", "darktable")
    said, status = host.run(
        'drive.note("program", require("photocloak/lib/options").current().program)'
    )
    assert (status, said["scenario"]) == (0, "done")
    assert said["program"].endswith("/photocloak")
    assert b"lua/photocloak/program=\n" in host.settings.read_bytes()


def test_review_gets_the_exports_and_clears_them_at_its_end(host: Host) -> None:
    photo, notes = host.root / "photos" / "one.jpg", host.root / "notes"
    out = host.root / "out" / "reviewed"
    values = {"program": host.fake(), "folder": out}
    said, status = host.run(
        f"drive.set({lua(values)}) drive.review('reviewed', {lua([photo])})\n"
        f"drive.set({lua({'folder': out.with_name('fails')})})"
        f"drive.review('fails', {lua([photo])})\n"
    )
    assert (status, said["scenario"]) == (0, "done")
    assert said["reviewed"] == "photocloak: the review page is in your browser"
    assert said["fails"].endswith("did not open: photocloak: settings.toml: is not valid")
    assert len(host.leftovers()) == 1  # the page is still open, and darktable is gone
    (notes / "published").touch()
    wait_for(lambda: host.leftovers() == [])
    assert (notes / "one.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_storage_stays_chosen_after_a_restart(host: Host) -> None:
    photo = host.root / "photos" / "one.jpg"
    values = {"program": host.fake(), "folder": host.root / "out" / "works"}
    host.settings.write_text("plugins/lighttable/export/storage_name=photocloak\n")
    for _ in range(2):
        said, status = host.run(
            f"drive.set({lua(values)}) drive.export('works', {lua([photo])})", chosen=False
        )
        assert (status, said["scenario"]) == (0, "done")
        assert said["works"] == "photocloak: 1 of 1 photos cloaked"
