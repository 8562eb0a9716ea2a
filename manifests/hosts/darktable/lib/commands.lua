-- photocloak for darktable: the command lines that it runs.
-- Part of photocloak, GPL-3.0-or-later. Required by engine.lua.

local commands = {}

--- Quote for sh; Lua's strings may hold anything that a path may.
function commands.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
local q = commands.quote

local function command(name, photos, options, more)
  local words = { q(options.program), name, "-o", q(options.folder), table.unpack(more) }
  local function add(...)
    for _i, word in ipairs({ ... }) do
      words[#words + 1] = word
    end
  end
  if options.mode ~= "" then add("--mode", q(options.mode)) end
  if options.preset ~= "" then add("--preset", q(options.preset)) end
  add("--")
  for _i, photo in ipairs(photos) do
    add(q(photo.file))
  end
  return table.concat(words, " ")
end

--- Return the command that cloaks photos; each gets the XMP and IPTC of its `metadata`.
function commands.cloak(photos, options)
  local more = { "--progress=json", "--no-face", options.held_back == "copy" and "copy" or "hold" }
  for _i, photo in ipairs(photos) do
    if photo.metadata then
      more[#more + 1] = "--metadata-from"
      more[#more + 1] = q(photo.metadata)
    end
  end
  return command("cloak", photos, options, more)
end

--- Return the command that opens a page to look at photos, correct and publish them.
function commands.review(photos, options)
  return command("review", photos, options, {})
end

return commands
