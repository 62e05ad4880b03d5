-- What is kept in `state` is there at the next call, also after a restart of Luna.
local visits = state.incr(page)
return { page = page, visits = visits, pages = #state.keys() }
