-- photocloak for darktable: keeps files safe that lie where darktable is about to write.
-- Part of photocloak, GPL-3.0-or-later. Required by cloaked_export.lua.
--
-- Before a Lua storage is asked anything, darktable exports to <tmp_dir>/<name>.<suffix>, over
-- whatever is there, be it the original; no storage can prevent that (in 4.2, to return a shorter
-- list of images from `initialize` makes darktable free that list twice). So what lies there is
-- moved aside before, a copy of it stands in for darktable to read and overwrite, and afterwards
-- the file itself is moved back. All of it within tmp_dir, so that moving is renaming.

local dt = require "darktable"
local engine = require "photocloak/lib/engine"

local shelter = {}

local q = engine.quote

-- What stands at the path by then is our copy, or what darktable left there: that is kept, too.
local RESTORE = [[restore() {
  for saved in "$1"/*.saved; do
    [ -e "$saved" ] || [ -L "$saved" ] || continue
    path=$(cat "${saved%.saved}.path"; printf x); path=${path%x}
    if [ -e "$path" ] && ! cmp -s -- "$saved" "$path"; then
      mv --backup=numbered -T -- "$path" "$path.interrupted"
    fi
    mv -f -T -- "$saved" "$path" && rm -- "${saved%.saved}.path"
  done
  rmdir -- "$1"
}
]]

local function lies(path)
  local file, _why, code = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil or code ~= 2 -- ENOENT
end

--- Move aside what lies at some paths below tmp_dir.
-- @return the shelter, or nil where nothing lay there; and the set of paths that are safe now
function shelter.protect(paths)
  local folder, safe, number = nil, {}, 0
  for _i, path in ipairs(paths) do
    if not safe[path] and lies(path) then
      folder = folder or engine.ask("umask 077; mktemp -d "
        .. q(dt.configuration.tmp_dir .. "/.photocloak-") .. "$PPID-XXXXXX")
      if not folder then error("no folder can be made in " .. dt.configuration.tmp_dir, 0) end
      number = number + 1
      local at = folder .. "/" .. number
      local file = assert(io.open(at .. ".path", "wb"))
      file:write(path)
      assert(file:close())
      local saved = q(at .. ".saved")
      safe[path] = dt.control.execute("mv -T -- " .. q(path) .. " " .. saved
        .. " && cp -p -- " .. saved .. " " .. q(path)) == 0
    else
      safe[path] = true
    end
  end
  return folder, safe
end

--- Move everything back; called when darktable's exports were taken away.
function shelter.restore(folder)
  if folder then dt.control.execute(RESTORE .. "restore " .. q(folder)) end
end

--- Move back what earlier darktables could not, because they were killed.
function shelter.sweep()
  dt.control.execute(RESTORE .. "for left in " .. q(dt.configuration.tmp_dir) .. [[/.photocloak-*; do
    [ -d "$left" ] && [ -O "$left" ] || continue
    owner=${left##*/.photocloak-}
    [ -d "/proc/${owner%%-*}" ] || restore "$left"
  done]])
end

return shelter
