/**
 * Runs in each new VM before the script. Takes away what leads out of it, and makes the functions of the host out of
 * one, which scripts do not see.
 */
export const prelude = `
local host, say, modules, env_values = __host, __say, __modules, __env
__host, __say, __modules, __env = nil, nil, nil, nil
os, io, require, package, debug, load, loadstring, loadfile, dofile, collectgarbage, warn = nil
string.dump = nil
local table_concat, table_pack, to_string, error = table.concat, table.pack, tostring, error
function print(...)
  local parts = table_pack(...)
  for index = 1, parts.n do parts[index] = to_string(parts[index]) end
  say(table_concat(parts, '\\t'))
end
local function module(name, functions)
  if not modules[name] then return nil end
  local made = {}
  for _, key in ipairs(functions) do
    made[key] = function(...)
      local answer = host(name .. '.' .. key, ...)
      if answer.error then error(answer.error, 2) end
      return answer.value
    end
  end
  return made
end
http = module('http', { 'get', 'post', 'request' })
fs = module('fs', { 'read', 'write', 'list', 'exists', 'delete' })
tools = module('tools', { 'call' })
state = module('state', { 'get', 'set', 'delete', 'keys', 'incr' })
env = { get = function(name) return env_values[name] end }
for name, value in pairs(env_values) do env[name] = value end
`;
