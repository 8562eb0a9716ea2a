-- photocloak for darktable: tells how it went: the job's bar, the panel, the log, the tag.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.

local dt = require "darktable"

local reporting = {}

local function _(msgid)
  return dt.gettext.gettext(msgid)
end

local TAG = "darktable|photocloak|held back" -- darktable's own tags are never exported
local SHORT = { -- what a status says by itself; the whole reason is in tooltip and log
  no_face = _("no face was found"),
  nobody_named = _("nobody with a name is in it"),
  too_weak = _("the cloak is too weak; try a stronger mode"),
  uncertain = _("something that may be a face cannot be cloaked"),
}
local WRITTEN = { cloaked = true, already_cloaked = true, done_before = true, left_alone = true }
local PLAIN = { no_face = true, nobody_named = true } -- written as they are, if the user wants it
local LISTED, SEEN = 20, 3 -- photos that the panel names, and the message over the pictures

local view, last = nil, { text = "", whole = "" }

--- Return the widget of the panel that says what became of the photos; unlike a label, it wraps.
function reporting.view()
  view = view or dt.new_widget("text_view") { editable = false }
  reporting.put()
  return view
end

function reporting.put()
  if not view then return end
  view.text = last.text
  view.tooltip = last.whole
end

-- Join the first lines; the rest is counted.
local function first(lines, count)
  if #lines <= count then return table.concat(lines, "\n") end
  return table.concat(lines, "\n", 1, count) .. "\n"
    .. string.format(_("… and %d more"), #lines - count)
end

--- Show a sentence, and lines below it: some for a moment over the pictures, for the panel may be
-- collapsed; more of them in the panel.
-- @param whole the same lines with all that is known, for the tooltip
function reporting.show(sentence, lines, whole)
  lines = lines or {}
  last = { text = sentence, whole = sentence }
  local seen = sentence
  if #lines > 0 then
    last.text = sentence .. "\n" .. first(lines, LISTED)
    last.whole = first(whole or lines, LISTED)
    seen = sentence .. "\n" .. first(lines, SEEN)
  end
  reporting.put()
  dt.print(seen)
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
  local reason = one.reason or one.status
  if one.file and reason:sub(1, #one.file) == one.file then
    reason = reason:sub(#one.file + 1):gsub("^:%s*", "")
  end
  return reason
end

--- Tell of every photo that was not written, or that is to be looked at, and sum up.
-- @param results {image, status, reason, file} of each photo
-- @param held_back what the user wants done with photos that are held back
function reporting.tell(results, held_back)
  local cloaked, plain, missing, remarks, lines, whole = 0, 0, 0, 0, {}, {}
  local function add(one, short)
    lines[#lines + 1] = one.image.filename .. ": " .. (short or reason_of(one))
    whole[#whole + 1] = one.image.filename .. ": " .. reason_of(one)
    dt.print_error("photocloak: " .. whole[#whole])
  end
  for _i, one in ipairs(results) do
    if WRITTEN[one.status] then
      cloaked = cloaked + 1
      if one.status == "cloaked" and one.reason then
        remarks = remarks + 1
        add(one)
      end
    elseif PLAIN[one.status] and held_back == "copy" then
      plain = plain + 1
    else
      missing = missing + 1
      add(one, SHORT[one.status])
    end
    if held_back == "tag" then set_tag(one.image, not WRITTEN[one.status]) end
  end
  local sum = string.format(_("photocloak: %d of %d photos cloaked"), cloaked, #results)
  if remarks > 0 then sum = sum .. string.format(_(", %d of them with a remark"), remarks) end
  if plain > 0 then sum = sum .. string.format(_(", %d without a face written"), plain) end
  if missing > 0 then sum = sum .. string.format(_(", %d not written"), missing) end
  reporting.show(sum, lines, whole)
end

--- Tell that the review page is there, or why it is not.
function reporting.tell_review(results, why)
  local lines = {}
  for _i, one in ipairs(results) do
    if not one.file then lines[#lines + 1] = one.image.filename .. ": " .. reason_of(one) end
  end
  reporting.show(why and string.format(_("photocloak: the review page did not open: %s"), why)
    or _("photocloak: the review page is in your browser"), lines)
end

return reporting
