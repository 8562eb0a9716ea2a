--[[
  cloaked_export.lua - publish photos whose faces are cloaked

  Copyright (C) 2026 the photocloak authors

  This program is free software: you can redistribute it and/or modify
  it under the terms of the GNU General Public License as published by
  the Free Software Foundation, either version 3 of the License, or
  (at your option) any later version.

  This program is distributed in the hope that it will be useful,
  but WITHOUT ANY WARRANTY; without even the implied warranty of
  MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
  GNU General Public License for more details.

  You should have received a copy of the GNU General Public License
  along with this program.  If not, see <http://www.gnu.org/licenses/>.
]]

--[[
  cloaked_export.lua - publish photos whose faces are cloaked

  Faces in what you publish teach face recognisers who you are. photocloak changes them a little, so
  that the wrong person is learnt. This script adds:
    - a target storage "cloaked export" to the export module
    - a module "photocloak" to the lighttable, a button "cloak" to its selected-images module, and a
      shortcut, which all cloak the selected photos

  ADDITIONAL SOFTWARE NEEDED FOR THIS SCRIPT
    * photocloak, which also puts this script in its place: photocloak install darktable

  USAGE
    * export module: choose "cloaked export", set mode, preset and folder, export as usual
    * or select photos and press "cloak" in the module "photocloak": they are exported as JPEG with
      XMP and IPTC of the photo and its sidecar file, as far as the preset lets them through
    * preferences / lua options: the program, the JPEG quality, how long to wait for a sign of life

  CAVEATS
    * A photo that is not cloaked is held back: nothing appears in the folder, and the reason is
      shown in the module "photocloak" and in the log.
    * The export module goes through darktable's temporary folder. A file that lies there under the
      name of an export is moved aside meanwhile, since darktable would overwrite it.
    * Linux only. Where darktable has no Lua (AppImage), have photocloak watch a folder instead.
]]

local dt = require "darktable"

local MODULE = "photocloak"
local NEEDED = 9 -- Lua API of darktable 4.2

local gettext = dt.gettext.gettext

local function _(msgid)
  return gettext(msgid)
end

local script_data = {}

script_data.metadata = {
  name = _("cloaked export"),
  purpose = _("publish photos whose faces are cloaked"),
  author = "the photocloak authors",
  help = "docs/howto/darktable.md in photocloak's repository"
}

script_data.destroy = nil -- function to destroy the script
script_data.destroy_method = nil -- libs can only be hidden
script_data.restart = nil -- how to restart the script after it was destroyed
script_data.show = nil -- how to show the lib again

if dt.configuration.api_version_major < NEEDED then
  dt.print_error(MODULE .. ": darktable 4.2 or newer is needed")
  return script_data
end
-- In darktable-cli widgets and preferences would wait for a window for ever.
if not dt.configuration.has_gui then return script_data end

local engine = require "photocloak/lib/engine"
local exporting = require "photocloak/lib/exporting"
local options = require "photocloak/lib/options"
local reporting = require "photocloak/lib/reporting"
local shelter = require "photocloak/lib/shelter"

local FORMATS = { jpeg = true, png = true, tiff = true, webp = true, avif = true }

local busy, installed = false, false

-- the one function that runs photocloak --------------------------------------------------------

--- Do some work with a private folder, one after the other; it stays if the work says so.
local function run(title, folder, work)
  local set, stopped = options.current(), false
  local job = reporting.job(title, function() stopped = true end)
  local function cancelled() return stopped end
  while busy do dt.control.sleep(200) end
  busy = true
  local ok, stays = pcall(function()
    folder = folder or engine.make_folder()
    return work(folder, set, job, cancelled)
  end)
  busy = false
  if folder and not (ok and stays) then engine.remove_folder(folder) end
  job.valid = false
  if not ok then reporting.nothing(stays) end
end

-- Photos are {image, file, metadata} each, without a file but with status and reason where there
-- is none. Return those that there is a file of.
local function existing(all)
  local photos = {}
  for _i, one in ipairs(all) do
    if one.file then photos[#photos + 1] = one end
  end
  return photos
end

local function cloak(folder, all, set, job, cancelled)
  local photos = existing(all)
  if #photos > 0 then
    local function progress(share) job.percent = math.min(share, 1) end
    local results = engine.cloak(folder, photos, set, progress, cancelled)
    for at, one in ipairs(photos) do
      one.status, one.reason = results[at].status, results[at].reason
    end
  end
  reporting.tell(all, set.held_back)
end

-- the selection --------------------------------------------------------------------------------

local function with_selection(title, work)
  local images = {}
  for at, image in ipairs(dt.gui.action_images) do images[at] = image end
  if #images == 0 then return reporting.show(_("photocloak: select some photos first")) end
  run(title, nil, function(folder, set, job, cancelled)
    return work(folder, exporting.export(images, folder, set.quality, cancelled), set, job, cancelled)
  end)
end

local function cloak_selection()
  with_selection(_("cloaking faces"), cloak)
end

local function review_selection()
  with_selection(_("opening the review page"), function(folder, all, set, _job, cancelled)
    local photos = existing(all)
    local why = #photos == 0 and _("no photo can be exported")
      or engine.review(folder, photos, set, cancelled)
    reporting.tell_review(all, why)
    return why == nil
  end)
end

-- the storage ----------------------------------------------------------------------------------

-- darktable is going to export each photo to <tmp_dir>/<name>.
local function begin(images, format, extra)
  local paths = {}
  extra.folder, extra.photos = engine.make_folder(), {}
  for at, image in ipairs(images) do
    paths[at] = dt.configuration.tmp_dir .. "/" .. exporting.stem(image) .. "." .. format.extension
    extra.photos[at] = {
      image = image, status = "failed", reason = _("darktable did not export it"),
    }
  end
  extra.shelter, extra.safe = shelter.protect(paths)
end

-- An error or a list of images, returned from here, would crash darktable 4.2.
local function initialize(_storage, format, images, _high_quality, extra)
  local ok, why = pcall(begin, images, format, extra)
  if not ok then reporting.nothing(why) end
end

-- Take darktable's temporary file away to where nobody else can see it.
local function store(_storage, image, _format, filename, number, _total, _high_quality, extra)
  if not (extra.safe and extra.safe[filename]) then
    dt.print_error(MODULE .. ": left alone, since it is not known whose it is: " .. filename)
    return
  end
  for _i, photo in ipairs(extra.photos) do
    if photo.image.id == image.id and not photo.file then
      local q, at = engine.quote, exporting.place(extra.folder, number)
      if dt.control.execute("mv -- " .. q(filename) .. " " .. q(at .. "/")) == 0 then
        photo.file = at .. "/" .. filename:match("[^/]*$")
      else
        os.remove(filename) -- darktable's: what lay there before is in the shelter
        photo.reason = _("cannot be moved to ") .. at
      end
      return
    end
  end
end

local function finalize(_storage, _files, extra)
  shelter.restore(extra.shelter)
  if not extra.photos then return end
  run(_("cloaking faces"), extra.folder, function(folder, set, job, cancelled)
    return cloak(folder, extra.photos, set, job, cancelled)
  end)
end

local function supported(_storage, format)
  return FORMATS[format.plugin_name] or false
end

-- in and out -----------------------------------------------------------------------------------

local function install_panel()
  if installed then return end
  installed = true
  local rows = options.widgets()
  rows.orientation = "vertical"
  rows[#rows + 1] = dt.new_widget("button") {
    label = _("cloak"),
    tooltip = _("export the selected photos with their faces cloaked"),
    clicked_callback = cloak_selection,
  }
  rows[#rows + 1] = dt.new_widget("button") {
    label = _("review"),
    tooltip = _("look at the selected photos on a page, correct what is wrong, then publish them"),
    clicked_callback = review_selection,
  }
  rows[#rows + 1] = reporting.view()
  dt.register_lib(MODULE, _("photocloak"), true, false,
    { [dt.gui.views.lighttable] = { "DT_UI_CONTAINER_PANEL_RIGHT_CENTER", 90 } },
    dt.new_widget("box")(rows), nil, nil)
end

local function show_panel()
  if installed then
    dt.gui.libs[MODULE].visible = true
  elseif dt.gui.current_view().id == "lighttable" then
    install_panel()
  end
end

local function restart()
  local box = options.widgets()
  box.orientation = "vertical"
  dt.register_storage(MODULE, _("cloaked export"), store, finalize, supported, initialize,
    dt.new_widget("box")(box))
  dt.gui.libs.image.register_action(MODULE, _("cloak"), cloak_selection,
    _("export the selected photos with their faces cloaked"))
  dt.register_event(MODULE, "shortcut", cloak_selection, _("photocloak: cloak the selected photos"))
  dt.register_event(MODULE, "view-changed", function(_event, _old, new)
    if new.id == "lighttable" then install_panel() end
  end)
  show_panel()
end

local function destroy()
  dt.destroy_event(MODULE, "view-changed")
  dt.destroy_event(MODULE, "shortcut")
  dt.gui.libs.image.destroy_action(MODULE)
  dt.destroy_storage(MODULE)
  if installed then dt.gui.libs[MODULE].visible = false end
end

options.register()
restart()
engine.sweep()
shelter.sweep()

script_data.destroy = destroy
script_data.destroy_method = "hide"
script_data.restart = restart
script_data.show = show_panel

return script_data
