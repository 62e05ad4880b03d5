local answer = http.get("https://example.com" .. path)
if answer.status ~= 200 then error("example.com answered with " .. answer.status) end
return { title = answer.body:match("<title>(.-)</title>"), bytes = #answer.body }
