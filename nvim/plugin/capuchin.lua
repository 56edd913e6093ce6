-- The commands are there before any file of a program is open, and say what is missing when they are used too early.
if vim.g.loaded_capuchin then
  return
end
vim.g.loaded_capuchin = true

local function command(name, action, description)
  vim.api.nvim_create_user_command(name, function()
    require("capuchin")[action]()
  end, { desc = description })
end

command("CapuchinOpen", "open", "Open the program's page in the browser")
command("CapuchinStatus", "show_status", "Say what became of the last edit")
command("CapuchinRestart", "restart", "Start Capuchin's server again")
command("CapuchinLog", "show_log", "Open the log that Capuchin's server writes to")
