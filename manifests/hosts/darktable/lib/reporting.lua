-- photocloak for darktable: tells how it went: the job's bar, the panel, the log, the tag.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.

local dt = require "darktable"

local reporting = {}

local function _(msgid)
  return dt.gettext.gettext(msgid)
end

local TAG = "darktable|photocloak|held back" -- darktable's own tags are never exported
local REASONS = { no_face = _("no face was found") }
local WRITTEN = { cloaked = true, already_cloaked = true, done_before = true, left_alone = true }
local PLAIN = { no_face = true, nobody_named = true } -- written as they are, if the user wants it

local label, last = nil, ""

--- Return the widget of the panel that lists what went wrong.
function reporting.label()
  label = label or dt.new_widget("label") { label = last, halign = "start" }
  return label
end

--- Show a text: its first line for a moment, all of it in the panel.
function reporting.show(text)
  last = text
  if label then label.label = text end
  dt.print(text:match("[^\n]*"))
end

--- Say that a run came to nothing.
function reporting.nothing(why)
  dt.print_error("photocloak: " .. tostring(why))
  reporting.show(string.format(_("photocloak: nothing was written: %s"), tostring(why)))
end

--- Return a job with a bar, whose cross calls `on_cancel`.
function reporting.job(title, on_cancel)
  return dt.gui.create_job(title, true, on_cancel)
end

local function set_tag(image, held_back)
  local tag = dt.tags.find(TAG)
  if held_back then
    dt.tags.attach(tag or dt.tags.create(TAG), image)
  elseif tag then
    dt.tags.detach(tag, image)
  end
end

-- The reason in the photo's own name: the engine knows its private copy only.
local function reason_of(one)
  local reason = REASONS[one.status] or one.reason or one.status
  if one.file and reason:sub(1, #one.file) == one.file then
    reason = reason:sub(#one.file + 1):gsub("^:%s*", "")
  end
  return one.image.filename .. ": " .. reason
end

--- Tell of every photo that was not written, in the log and in the panel, and sum up.
-- @param results {image, status, reason, file} of each photo
-- @param held_back what the user wants done with photos that are held back
function reporting.tell(results, held_back)
  local cloaked, plain, lines = 0, 0, {}
  for _i, one in ipairs(results) do
    if WRITTEN[one.status] then
      cloaked = cloaked + 1
    elseif PLAIN[one.status] and held_back == "copy" then
      plain = plain + 1
    else
      lines[#lines + 1] = reason_of(one)
      dt.print_error("photocloak: " .. lines[#lines])
    end
    if held_back == "tag" then set_tag(one.image, not WRITTEN[one.status]) end
  end
  local sum = string.format(_("photocloak: %d of %d photos cloaked"), cloaked, #results)
  if plain > 0 then sum = sum .. string.format(_(", %d without a face written"), plain) end
  if #lines > 0 then sum = sum .. string.format(_(", %d not written"), #lines) end
  reporting.show(table.concat({ sum, table.unpack(lines) }, "\n"))
end

return reporting
