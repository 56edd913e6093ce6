---@brief
---
--- Capuchin changes a running JavaScript program while it is edited: every keystroke reaches the pages that show it,
--- unsaved, and the program keeps its state.
---
--- Neovim 0.11 and newer:
---
--- ```lua
--- vim.lsp.enable("capuchin")
--- ```
---
--- `:CapuchinOpen` opens the page. Settings go to `init_options`: `root`, the folder to serve if it is not the root
--- folder, and `port`.

---@type vim.lsp.Config
return {
  cmd = { "capuchin", "lsp" },
  filetypes = { "javascript", "javascriptreact", "css", "html" },
  -- The page first: in a repository of several programs, the one that is edited is served.
  root_markers = { "index.html", "package.json", ".git" },
  -- Without this, Neovim gathers keystrokes for 150 ms before it sends them.
  flags = { debounce_text_changes = 0 },
  handlers = require("capuchin").handlers,
  on_exit = require("capuchin").on_exit,
}
