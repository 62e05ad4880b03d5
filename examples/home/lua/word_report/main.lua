-- Tools that `permissions` names can be called; what they answer comes back as a table, or as text.
local count = tools.call("text_count", { text = text })
local note = tools.call("notes_add", { text = "A text of " .. count.words .. " words", tags = { "report" } })
return { words = count.words, note = note.id }
