-- photocloak for darktable: reads the lines of `photocloak cloak --progress=json`.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.

local events = {}

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["/"] = "/" }
local CONSTANTS = { ["true"] = true, ["false"] = false }

-- Halves of a pair come as two escapes; a half alone (a name that is not UTF-8) becomes "?".
local function unescape(text)
  text = text:gsub("\\\\", "\0"):gsub("\\([bfnrt\"/])", ESCAPES)
  text = text:gsub("\\u([dD][89aAbB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
    local top, bottom = tonumber(high, 16) - 0xD800, tonumber(low, 16) - 0xDC00
    return utf8.char(0x10000 + (top << 10) + bottom)
  end)
  text = text:gsub("\\u(%x%x%x%x)", function(hex)
    local code = tonumber(hex, 16)
    return (code >= 0xD800 and code < 0xE000) and "?" or utf8.char(code)
  end)
  return (text:gsub("\0", "\\"))
end

local function value_at(line, at)
  if line:sub(at, at) == '"' then
    local stop = at + 1
    while line:sub(stop, stop) ~= '"' do
      if stop > #line then return nil, nil end
      stop = stop + (line:sub(stop, stop) == "\\" and 2 or 1)
    end
    return unescape(line:sub(at + 1, stop - 1)), stop + 1
  end
  local word, after = line:match("^([%w%.+-]+)()", at)
  if not word then return nil, nil end
  if CONSTANTS[word] ~= nil then return CONSTANTS[word], after end
  return tonumber(word), after -- null becomes nil
end

--- Return the members of a flat JSON object; nil for a line that is none, such as a plain message.
function events.parse(line)
  local at = line:match("^%s*{%s*()")
  if not at then return nil end
  local event = {}
  while line:sub(at, at) ~= "}" do
    local key, after = value_at(line, at)
    after = after and line:match("^%s*:%s*()", after)
    if type(key) ~= "string" or not after then return nil end
    event[key], after = value_at(line, after)
    at = after and line:match("^%s*,?%s*()", after)
    if not at or at > #line then return nil end
  end
  return event
end

return events
