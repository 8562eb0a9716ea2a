-- photocloak for darktable: runs `photocloak cloak` in the background and listens to it.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.
--
-- Photos wait in a folder that only the user can enter, never at their destination: photocloak
-- alone writes there, what is cloaked and checked. So whoever dies, and whenever, no other photo
-- can appear. The program runs in a session of its own, writes its events to a file, and is polled,
-- so that darktable stays responsive; being told to stop reaches all of its processes.

local dt = require "darktable"
local events = require "photocloak/lib/events"

local engine = {}

local POLL = 200 -- milliseconds
local GRACE = 3 -- seconds between asking a process to end and killing it

--- Quote for sh; Lua's strings may hold anything that a path may.
function engine.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
local q = engine.quote

--- Run a short command; return its output without the last line end, or nil if it failed.
function engine.ask(command)
  local pipe = io.popen(command)
  if not pipe then return nil end
  local output = pipe:read("a")
  return pipe:close() and output:gsub("\n$", "") or nil
end

local function base()
  return dt.configuration.cache_dir .. "/photocloak"
end

--- Make a private folder for a run; its name begins with the process that it belongs to.
function engine.make_folder()
  local at = q(base())
  local folder = engine.ask("umask 077; mkdir -p " .. at .. " && chmod 700 " .. at
    .. " && mktemp -d " .. at .. "/run-$PPID-XXXXXX")
  if not folder then error("no private folder can be made in " .. base(), 0) end
  return folder
end

--- Remove a folder that `make_folder` made, with everything in it.
function engine.remove_folder(folder)
  if folder:sub(1, #base() + 5) == base() .. "/run-" then
    dt.control.execute("rm -rf -- " .. q(folder))
  end
end

--- Remove what earlier darktables left when they were killed, unless photocloak is still at it.
function engine.sweep()
  dt.control.execute("for run in " .. q(base()) .. [[/run-*; do
    [ -d "$run" ] || continue
    owner=${run##*/run-}; engine=$(cat "$run/pid" 2>/dev/null)
    [ -d "/proc/${owner%%-*}" ] || [ -d "/proc/${engine:-none}" ] || rm -rf -- "$run"
  done]])
end

local function script(folder, photos, options)
  local words = { q(options.program), "cloak", "--progress=json", "-o", q(options.folder) }
  local function add(...)
    for _i, word in ipairs({ ... }) do
      words[#words + 1] = word
    end
  end
  if options.mode ~= "" then add("--mode", q(options.mode)) end
  if options.preset ~= "" then add("--preset", q(options.preset)) end
  add("--no-face", options.held_back == "copy" and "copy" or "hold")
  for _i, photo in ipairs(photos) do
    if photo.metadata then add("--metadata-from", q(photo.metadata)) end
  end
  add("--")
  for _i, photo in ipairs(photos) do
    add(q(photo.file))
  end
  -- Should darktable be gone by the end, nobody else clears the folder.
  local at = q(folder)
  return "cd " .. at .. " || exit\necho $$ >pid\n" .. table.concat(words, " ")
    .. " </dev/null >/dev/null 2>events\necho $? >status.part\nmv status.part status\n"
    .. "owner=" .. at .. '; owner=${owner##*/run-}\n[ -d "/proc/${owner%%-*}" ] || rm -rf -- ' .. at
    .. "\n"
end

local function content(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function alive(pid)
  local state = content("/proc/" .. pid .. "/stat")
  return state ~= nil and state:match("^%d+ %(.*%) (%a)") ~= "Z"
end

-- Stop the whole session: ask first, then insist.
local function stop(folder)
  local pid = (content(folder .. "/pid") or ""):match("^%d+")
  if not pid then return end
  dt.control.execute("kill -s TERM -- -" .. pid .. " 2>/dev/null")
  for _i = 1, GRACE * 10 do
    if not alive(pid) then break end
    dt.control.sleep(100)
  end
  dt.control.execute("kill -s KILL -- -" .. pid .. " 2>/dev/null")
end

local Listener = {}
Listener.__index = Listener

local function listen(folder, total, on_progress)
  return setmetatable({
    path = folder .. "/events", at = 0, rest = "", photo = 0, total = total, results = {},
    heard = os.time(), on_progress = on_progress,
  }, Listener)
end

-- Take in what was written since; the file is opened anew, since it may not be there at first.
function Listener:hear()
  local file = io.open(self.path, "rb")
  if not file then return end
  file:seek("set", self.at)
  local text = file:read("a")
  file:close()
  if text == "" then return end
  self.at, self.heard, self.rest = self.at + #text, os.time(), self.rest .. text
  for line in self.rest:gmatch("([^\n]*)\n") do
    local event = events.parse(line)
    if event then self:take(event) elseif line ~= "" then self.said = line end
  end
  self.rest = self.rest:match("[^\n]*$")
end

function Listener:take(event)
  local photo = event.photo
  if type(photo) ~= "number" or photo < 1 or photo > self.total then return end
  if event.event == "end" then
    self.results[photo] = { status = event.status or "failed", reason = event.reason }
  end
  if event.share then -- of the whole run
    self.on_progress(event.share)
  elseif event.event == "end" then
    self.on_progress(photo / self.total)
  elseif event.event == "step" and (event.steps or 0) > 0 then
    self.on_progress((photo - 1 + event.done / event.steps) / self.total)
  end
end

--- Cloak photos into options.folder.
-- @param folder  a private folder of this run
-- @param photos  {file, metadata} each: what darktable exported, and the photo whose XMP and IPTC
--                it gets (for all photos or for none)
-- @param options program, mode, preset, folder, held_back, patience
-- @param on_progress  called with the share that is done
-- @param cancelled    asked whether to stop
-- @return {status, reason} of each photo
function engine.cloak(folder, photos, options, on_progress, cancelled)
  local run = folder .. "/run.sh"
  local file = assert(io.open(run, "wb"))
  file:write(script(folder, photos, options))
  assert(file:close())
  dt.control.execute("setsid sh " .. q(run) .. " </dev/null >/dev/null 2>&1 &")
  local listener, started, why = listen(folder, #photos, on_progress), os.time(), nil
  while not why do
    local status = content(folder .. "/status")
    local pid = (content(folder .. "/pid") or ""):match("^%d+")
    local running = pid and alive(pid) or not pid and os.time() - started < 10
    listener:hear()
    if status then
      why = listener.said or ("photocloak ended with status " .. status:match("%d*"))
    elseif cancelled() then
      why = "cancelled"
    elseif not running and not content(folder .. "/status") then
      why = "photocloak was killed"
    elseif os.time() - listener.heard > options.patience then
      why = "photocloak showed no progress for " .. options.patience .. " seconds and was stopped"
    else
      dt.control.sleep(POLL)
    end
    if why and not status then stop(folder) end
  end
  listener:hear()
  for number = 1, #photos do
    local missing = why == "cancelled" and "cancelled" or "failed"
    listener.results[number] = listener.results[number] or { status = missing, reason = why }
  end
  return listener.results
end

return engine
