-- photocloak for darktable: exports selected photos into the private folder of a run.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.

local dt = require "darktable"
local engine = require "photocloak/lib/engine"

local exporting = {}

local function _(msgid)
  return dt.gettext.gettext(msgid)
end

--- Make and return a folder for one photo in that of the run.
function exporting.place(folder, number)
  local at = string.format("%s/%05d", folder, number)
  if dt.control.execute("mkdir -m 700 -- " .. engine.quote(at)) ~= 0 then
    error("cannot make " .. at, 0)
  end
  return at
end

--- Return the name of a photo's export without its suffix, as darktable makes it.
function exporting.stem(image)
  local name = image.filename:match("^(.+)%.[^.]*$") or image.filename
  return image.duplicate_index > 0 and string.format("%s_%02d", name, image.duplicate_index) or name
end

-- Links to the photo and its sidecar, under the name that a sidecar goes by.
local function link(image, at)
  local q, source = engine.quote, at .. "/source-" .. image.filename
  local command = "ln -s -- " .. q(image.path .. "/" .. image.filename) .. " " .. q(source)
  if image.sidecar and image.sidecar ~= "" then
    command = command .. " && ln -s -- " .. q(image.sidecar) .. " " .. q(source .. ".xmp")
  end
  return dt.control.execute(command) == 0 and source or nil
end

local function write(image, at, quality)
  local format = dt.new_format("jpeg")
  format.quality = quality
  local file = at .. "/" .. exporting.stem(image) .. ".jpg"
  local ok, why = pcall(function() return format:write_image(image, file, false) end)
  local written = io.open(file, "rb")
  if written then written:close() end
  local source = written and link(image, at)
  if ok and source then return { image = image, file = file, metadata = source } end
  return { image = image, status = "failed", reason = ok and _("cannot be exported") or why }
end

--- Write images as JPEG.
-- @return {image, file, metadata} of each, without a file but with status and reason where there
--         is none
function exporting.export(images, folder, quality, cancelled)
  local photos = {}
  for number, image in ipairs(images) do
    photos[number] = cancelled() and { image = image, status = "cancelled" }
      or write(image, exporting.place(folder, number), quality)
  end
  return photos
end

return exporting
