-- Drives darktable in the tests: dofile gives functions to import, export, select and end.
-- RESULTS is a global: where what the plugin reports is written, a record a line.

local dt = require "darktable"
local engine = require "photocloak/lib/engine"
local reporting = require "photocloak/lib/reporting"

local drive = { runs = 0, shown = 0, stop = nil }

-- The export button's name changed in darktable 5.4.
local major, minor = dt.configuration.version:match("(%d+)%.(%d+)")
local renamed = tonumber(major) * 100 + tonumber(minor) >= 504
local EXPORT = "lib/export/" .. (renamed and "start export" or "export")

function drive.note(name, text)
  local file = assert(io.open(RESULTS, "a"))
  file:write(name, "\t", (tostring(text):gsub("\\", "\\\\"):gsub("\n", "\\n")), "\n")
  file:close()
end

local show, remove, job = reporting.show, engine.remove_folder, reporting.job
function reporting.show(sentence, lines, whole)
  drive.note(drive.name or "?", table.concat({ sentence, table.unpack(lines or {}) }, "\n"))
  drive.note((drive.name or "?") .. " in full", table.concat(whole or {}, "\n"))
  show(sentence, lines, whole)
  drive.shown = drive.shown + 1
end
function engine.remove_folder(folder)
  remove(folder)
  drive.runs = drive.runs + 1
end
function reporting.job(title, on_cancel)
  drive.stop = on_cancel
  drive.job = job(title, on_cancel)
  return drive.job
end

function drive.wait(done, seconds)
  for _i = 1, (seconds or 120) * 20 do
    if done() then return true end
    dt.control.sleep(50)
  end
  drive.note(drive.name, "TIMEOUT")
end

function drive.set(values)
  for key, value in pairs(values) do
    local kind = type(value) == "number" and "integer" or "string"
    dt.preferences.write("photocloak", key, kind, value)
  end
end

function drive.images(paths)
  local images = {}
  for at, path in ipairs(paths) do
    images[at] = dt.database.import(path)
    if not images[at] then drive.note(drive.name, "NOT IMPORTED " .. path) end
  end
  return images
end

-- What `counter` counts tells that it is done.
local function press(name, paths, begin, during, counter)
  drive.name = name
  local before = drive[counter]
  drive.job = nil
  dt.gui.selection(drive.images(paths))
  dt.control.sleep(200)
  begin()
  if during then during() end
  drive.wait(function() return drive[counter] > before end)
  dt.control.sleep(100)
end

--- Export through the storage; `during` is called meanwhile.
function drive.export(name, paths, during)
  press(name, paths, function() dt.gui.action(EXPORT, 0, "", "", 1.0) end, during, "runs")
end

-- Return what a function of the script calls by a name; darktable 5 lets no script press a button
-- or a shortcut of Lua's.
local function called(by, name, ...)
  for at = 1, math.huge do
    local found, value = debug.getupvalue(by, at)
    if found == name then return ... and called(value, ...) or value end
    assert(found, name)
  end
end
local restart = require("photocloak/cloaked_export").restart

--- Cloak the selection as button and shortcut do it.
function drive.select(name, paths, during)
  local cloak = called(restart, "cloak_selection")
  press(name, paths, function() dt.control.dispatch(cloak) end, during, "runs")
end

--- Review the selection as the button does it.
function drive.review(name, paths)
  local review = called(restart, "show_panel", "install_panel", "review_selection")
  press(name, paths, function() dt.control.dispatch(review) end, nil, "shown")
end

--- Do this once darktable is up, then quit.
function drive.run(scenario)
  dt.control.dispatch(function()
    dt.control.sleep(1000)
    -- darktable 5 starts with filters on that hide what is imported (darktable #20106).
    dt.gui.action("lib/filtering", 0, "reset", "activate", 1.0)
    dt.control.sleep(300)
    drive.note("darktable", dt.configuration.version)
    local ok, why = pcall(scenario)
    drive.note("scenario", ok and "done" or why)
    dt.control.sleep(300)
    dt.gui.action("global/quit", 0, "", "", 1.0)
  end)
end

return drive
