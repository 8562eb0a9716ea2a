-- photocloak for darktable: runs photocloak in the background and listens to it.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.
--
-- Photos wait in a folder that only the user can enter, never at their destination: photocloak
-- alone writes there, what is cloaked and checked. So whoever dies, and whenever, no other photo
-- can appear. The program runs in a session of its own, writes its events to a file, and is polled,
-- so that darktable stays responsive; being told to stop reaches all of its processes.

local dt = require "darktable"
local commands = require "photocloak/lib/commands"
local events = require "photocloak/lib/events"

local engine = {}

local POLL = 200 -- milliseconds
local GRACE = 3 -- seconds between asking a process to end and killing it

engine.quote = commands.quote
local q = commands.quote

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

local EMPTIED = "; rmdir -- " .. q(base()) .. " 2>/dev/null"

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
    dt.control.execute("rm -rf -- " .. q(folder) .. EMPTIED)
  end
end

--- Remove what earlier darktables left when they were killed, unless photocloak is still at it.
function engine.sweep()
  dt.control.execute("for run in " .. q(base()) .. [[/run-*; do
    [ -d "$run" ] || continue
    owner=${run##*/run-}; engine=$(cat "$run/pid" 2>/dev/null)
    [ -d "/proc/${owner%%-*}" ] || [ -d "/proc/${engine:-none}" ] || rm -rf -- "$run"
  done]] .. EMPTIED)
end

-- Start a command in a session of its own. Should darktable be gone by its end, or have left it to
-- itself, nobody else clears the folder.
local function start(folder, command)
  local at, run = q(folder), folder .. "/run.sh"
  local file = assert(io.open(run, "wb"))
  file:write(
    "cd ", at, " || exit\necho $$ >pid\n", command, " </dev/null >output 2>events\n",
    "echo $? >status.part\nmv status.part status\n",
    "owner=", at, '; owner=${owner##*/run-}\n',
    '[ -d "/proc/${owner%%-*}" ] && [ ! -s output ] && exit\n',
    "rm -rf -- ", at, EMPTIED, "\n")
  assert(file:close())
  dt.control.execute("setsid sh " .. q(run) .. " </dev/null >/dev/null 2>&1 &")
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
    if event then self:take(event) elseif line ~= "" then self.said = line:gsub("^.*/run%.sh: %d+: ", "") end
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

-- Say why a run has ended, by its exit status and what it said last. An update of the system takes
-- away the Python that photocloak was installed with.
local function reason(status, said)
  status = status:match("%d*")
  if status == "126" or status == "127" or (said or ""):find("ModuleNotFoundError", 1, true) then
    return "photocloak cannot be started, perhaps since an update of the system; install it again, "
      .. "then run: photocloak install darktable"
  end
  return said or ("photocloak ended with status " .. status)
end

-- Wait until a run has ended, or until it says something on stdout where that is enough.
-- @return why it ended; nil where it was left to itself
local function follow(folder, listener, options, cancelled, until_output)
  local started, why = os.time(), nil
  while not why do
    local status = content(folder .. "/status")
    local pid = (content(folder .. "/pid") or ""):match("^%d+")
    local running = pid and alive(pid) or not pid and os.time() - started < 10
    listener:hear()
    if until_output and (content(folder .. "/output") or "") ~= "" then
      return nil
    elseif status then
      why = reason(status, listener.said)
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
  return why
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
  start(folder, commands.cloak(photos, options))
  local listener = listen(folder, #photos, on_progress)
  local why = follow(folder, listener, options, cancelled, false)
  for number = 1, #photos do
    local missing = why == "cancelled" and "cancelled" or "failed"
    listener.results[number] = listener.results[number] or { status = missing, reason = why }
  end
  return listener.results
end

--- Open the page on which photos are looked at and published into options.folder.
-- @return why it could not be opened; nil where it was, and removes the folder at its end
function engine.review(folder, photos, options, cancelled)
  start(folder, commands.review(photos, options))
  local listener = listen(folder, #photos, function() end)
  return follow(folder, listener, options, cancelled, true)
end

return engine
