return "Hello, " .. name .. "!"
