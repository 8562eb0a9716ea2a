-- photocloak for darktable: preferences, and the widgets that export module and panel share.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.

local dt = require "darktable"
-- Written by `photocloak install darktable`: program, folder, modes, presets.
local setup = require "photocloak/lib/setup"

local options = {}

local MODULE = "photocloak"
local OWN_SETTINGS = "settings.toml" -- of a mode or preset: whatever photocloak's file says

local function _(msgid)
  return dt.gettext.gettext(msgid)
end

local HELD_BACK = {
  { "leave", _("leave out") },
  { "tag", _("leave out, tag") },
  { "copy", _("write if faceless") },
}

local mirrors = {} -- key → widgets that show it

local function read(key, default)
  local value = dt.preferences.read(MODULE, key, "string")
  return (value == nil or value == "") and default or value
end

local function write(key, value, shown)
  dt.preferences.write(MODULE, key, "string", value)
  for _i, mirror in ipairs(mirrors[key]) do
    mirror(shown)
  end
end

-- Return the choices of a menu, the settings in the given place; the first holds until one is made.
local function choices_of(names, place)
  local choices = {}
  for _i, name in ipairs(names) do
    choices[#choices + 1] = { name, name }
  end
  table.insert(choices, place, { OWN_SETTINGS, _("settings") })
  return choices
end

local function chosen(key, default)
  local value = read(key, default)
  return value == OWN_SETTINGS and "" or value
end

local function position(choices, value)
  for at, choice in ipairs(choices) do
    if choice[1] == value then return at end
  end
  return 1
end

local function chooser(key, label, tooltip, choices)
  local labels = {}
  for at, choice in ipairs(choices) do
    labels[at] = choice[2]
  end
  local widget = dt.new_widget("combobox") {
    label = label,
    tooltip = tooltip,
    selected = position(choices, read(key, choices[1][1])),
    changed_callback = function(self)
      local at = self.selected
      if choices[at] and read(key, choices[1][1]) ~= choices[at][1] then
        write(key, choices[at][1], at)
      end
    end,
    table.unpack(labels),
  }
  table.insert(mirrors[key], function(at)
    if widget.selected ~= at then widget.selected = at end
  end)
  return widget
end

-- The button of a folder that is not there yet says "(None)", so a label says where photos will go.
local function folder_chooser()
  local label = dt.new_widget("label") { halign = "start" }
  local function show(value)
    label.label = _("into ") .. value
    label.ellipsize = "middle" -- each time: a new text takes it back in darktable 5.4
    label.tooltip = value
  end
  show(read("folder", setup.folder))
  local button = dt.new_widget("file_chooser_button") {
    title = _("folder for the cloaked photos"),
    value = read("folder", setup.folder),
    is_directory = true,
    tooltip = _("where the cloaked photos go; no file that lies there is ever overwritten"),
    changed_callback = function(self)
      if self.value and self.value ~= "" and read("folder", setup.folder) ~= self.value then
        write("folder", self.value, self.value)
      end
    end,
  }
  table.insert(mirrors.folder, function(value)
    show(value)
    if button.value ~= value then button.value = value end
  end)
  return label, button
end

--- Add the preferences that have no widget to darktable's own dialog (lua options).
function options.register()
  -- A text and no file: of a file that is not set, darktable's dialog stores "(null)".
  if dt.preferences.read(MODULE, "program", "string") == "(null)" then
    dt.preferences.write(MODULE, "program", "string", "")
  end
  dt.preferences.register(MODULE, "program", "string", _("photocloak: program"),
    _("path of the program photocloak; as it was installed, if this is empty"), "")
  dt.preferences.register(MODULE, "quality", "integer", _("photocloak: quality of the selection"),
    _("JPEG quality of what is made of selected photos"), 95, 5, 100)
  dt.preferences.register(MODULE, "patience", "integer", _("photocloak: patience (seconds)"),
    _("photocloak is stopped, and nothing written, when it shows no progress for so long"),
    600, 1, 86400)
end

--- Return new widgets for mode, preset, folder and held-back photos.
function options.widgets()
  for _i, key in ipairs({ "mode", "preset", "folder", "held_back" }) do
    mirrors[key] = mirrors[key] or {}
  end
  local label, button = folder_chooser()
  return {
    chooser("mode", _("mode"),
      _("how much may be seen of the cloak (settings: as in photocloak's settings)"),
      choices_of(setup.modes, 1)),
    chooser("preset", _("preset"),
      _("what metadata and size the file keeps (settings: as in photocloak's settings)"),
      choices_of(setup.presets, 2)),
    label,
    button,
    chooser("held_back", _("held back"),
      _("what becomes of photos that cannot be cloaked: nothing is written (and they get the tag "
        .. "darktable|photocloak|held back, if you like), or those without a face are written as "
        .. "they are"),
      HELD_BACK),
  }
end

--- Return what is set now.
function options.current()
  return {
    program = read("program", setup.program),
    mode = chosen("mode", OWN_SETTINGS),
    preset = chosen("preset", setup.presets[1]),
    folder = read("folder", setup.folder),
    held_back = read("held_back", "leave"),
    quality = dt.preferences.read(MODULE, "quality", "integer"),
    patience = dt.preferences.read(MODULE, "patience", "integer"),
  }
end

return options
