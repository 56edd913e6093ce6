--- Capuchin for Neovim 0.7 and newer: starts the server where Neovim cannot do it by itself, keeps what the server
--- says about the last edit, and runs the :Capuchin… commands. See :help capuchin

local M = {}

--- What one server said. The last edit's fate: a new edit, that is another document or version, replaces it.
---@class capuchin.Session
---@field url string|nil the page's address; nil until the server listens
---@field root string|nil the folder that is served
---@field pages integer how many pages are connected
---@field verdict table|nil what the server made of the newest edit
---@field outcomes table<string, table> what became of it, by page

---@type table<integer, capuchin.Session> by client id
local sessions = {}

--- Set while :CapuchinOpen waits for a server that is just starting, by client id.
---@type table<integer, boolean>
local open_when_ready = {}

--- Set while :CapuchinRestart stops them, by client id: their end is no news.
---@type table<integer, boolean>
local stopping = {}

--- What setup() was given, and on Neovim before 0.11 the whole configuration.
local config = {}

--- What pages are made of: scripts and style sheets reach them as they are typed.
local FILETYPES = { "javascript", "javascriptreact", "css", "html" }

-- 0.11 starts language servers by itself.
local starts_by_itself = vim.lsp.enable ~= nil

-- ---------------------------------------------------------------------------------------------------------------------
-- Words for what the server says, from best to worst

local OUTCOMES = {
  { name = "live", text = "live", timed = true, detail = "The page runs what you typed." },
  { name = "nextCall", text = "next call", timed = true, detail = "The page runs what you typed from the next call on." },
  { name = "moduleUpdated", text = "module updated", timed = true, detail = "The page ran the whole module again." },
  { name = "held", text = "held", detail = "The page keeps the last version that works." },
  { name = "needsReload", text = "needs reload", detail = "Save the file or reload the page to see this edit." },
  { name = "refused", text = "refused", detail = "The page could not take this edit." },
  { name = "threw", text = "threw", detail = "The page threw an error while it took this edit." },
}

local VERDICTS = {
  unchanged = { text = "up to date", detail = "The page runs what the buffer says." },
  hold = { text = "held", detail = "The page keeps the last version that works." },
  patch = { text = "sent", detail = "The edit is on its way to the page." },
  updateModule = { text = "sent", detail = "The module has to run again." },
  reloadPage = { text = "needs reload", detail = "Save the file or reload the page to see this edit." },
}

local function rank(outcome)
  for index, words in ipairs(OUTCOMES) do
    if words.name == outcome then
      return index
    end
  end
  return 0
end

local function reason_of(message)
  -- JSON's null arrives as vim.NIL, which is true in a condition.
  return type(message.reason) == "table" and message.reason.message or nil
end

--- With several pages, the one that came off worst counts: a status that says "live" has to be true of all.
local function worst_outcome(session)
  local worst
  for _, outcome in pairs(session.outcomes) do
    if not worst or rank(outcome.outcome) > rank(worst.outcome) then
      worst = outcome
    end
  end
  return worst
end

--- The last edit's fate as a few words and a sentence, or nil if there is nothing to tell.
local function last_edit(session)
  local worst = worst_outcome(session)
  if worst then
    local words = OUTCOMES[rank(worst.outcome)] or { text = worst.outcome, detail = "" }
    local text = words.text
    -- How long somebody typed until the page was loaded again says nothing.
    local was_loaded = type(worst.reason) == "table" and worst.reason.code == "loaded"
    if words.timed and type(worst.ms) == "number" and not was_loaded then
      text = text .. " " .. (worst.ms < 1 and "<1 ms" or ("%d ms"):format(math.floor(worst.ms + 0.5)))
    end
    return text, reason_of(worst) or words.detail
  end
  local verdict = session.verdict
  -- A patch that no page was there to take is no news.
  if verdict and (session.pages > 0 or verdict.verdict == "hold") then
    local words = VERDICTS[verdict.verdict] or { text = verdict.verdict, detail = "" }
    return words.text, reason_of(verdict) or words.detail
  end
end

local function pages(session)
  if session.pages == 0 then
    return "no page"
  end
  return session.pages == 1 and "1 page" or ("%d pages"):format(session.pages)
end

-- ---------------------------------------------------------------------------------------------------------------------
-- What the server says

local function session_of(client_id)
  sessions[client_id] = sessions[client_id] or { pages = 0, outcomes = {} }
  return sessions[client_id]
end

local function tell(text, level)
  vim.notify("Capuchin: " .. text, level or vim.log.levels.INFO)
end

local function changed()
  vim.cmd("silent! doautocmd <nomodeline> User CapuchinChanged")
  vim.cmd("redrawstatus")
end

local open_url

--- For the `handlers` of an LSP configuration.
M.handlers = {
  ["capuchin/ready"] = function(_, params, context)
    local session = session_of(context.client_id)
    session.url = params.url
    session.root = params.root
    changed()
    if open_when_ready[context.client_id] then
      open_when_ready[context.client_id] = nil
      open_url(params.url)
    end
  end,

  ["capuchin/pagesChanged"] = function(_, params, context)
    local session = session_of(context.client_id)
    session.pages = params.count
    -- What a page that is gone once answered would read as news of those that are left.
    for page in pairs(session.outcomes) do
      if not vim.tbl_contains(params.pages, page) then
        session.outcomes[page] = nil
      end
    end
    changed()
  end,

  ["capuchin/verdict"] = function(_, params, context)
    local session = session_of(context.client_id)
    session.verdict = params
    session.outcomes = {}
    changed()
  end,

  ["capuchin/outcome"] = function(_, params, context)
    local session = session_of(context.client_id)
    local _, newest = next(session.outcomes)
    newest = newest or session.verdict
    if newest and newest.uri == params.uri then
      if params.version < newest.version then
        return
      end
      if params.version > newest.version then
        session.outcomes = {}
      end
    else
      session.outcomes = {}
    end
    session.outcomes[params.page] = params
    changed()
  end,
}

--- For the `on_exit` of an LSP configuration.
function M.on_exit(code, _, client_id)
  local listened = sessions[client_id] and sessions[client_id].url
  sessions[client_id] = nil
  open_when_ready[client_id] = nil
  if stopping[client_id] then
    stopping[client_id] = nil
    return
  end
  -- That a server has ended is said by Neovim; here somebody may be waiting for the page.
  if not listened and vim.v.exiting == vim.NIL then
    vim.schedule(function()
      local text = "the server ended before it could serve the page (exit code %d): :CapuchinLog says why"
      tell(text:format(code), vim.log.levels.ERROR)
    end)
  end
end

-- ---------------------------------------------------------------------------------------------------------------------
-- Clients, through all the names that Neovim has had for them

local function all_clients()
  local clients = vim.lsp.get_clients and vim.lsp.get_clients() or vim.lsp.get_active_clients()
  return vim.tbl_filter(function(client)
    return client.name == "capuchin"
  end, clients)
end

--- The client of the current buffer, or else the only one there is: a help page or the HTML file has none of its own.
local function current_client()
  local clients = all_clients()
  local buffer = vim.api.nvim_get_current_buf()
  for _, client in ipairs(clients) do
    if vim.lsp.buf_is_attached(buffer, client.id) then
      return client
    end
  end
  return #clients == 1 and clients[1] or nil
end

--- The current client, also one that is just being started: Neovim does not list it before the server has answered.
local function wait_for_client()
  local client = current_client()
  if not client and vim.tbl_contains(FILETYPES, vim.bo.filetype) then
    vim.wait(2000, function()
      client = current_client()
      return client ~= nil
    end, 20)
  end
  return client
end

local function stop_client(client, force)
  if vim.fn.has("nvim-0.11") == 1 then
    client:stop(force)
  else
    client.stop(force)
  end
end

-- ---------------------------------------------------------------------------------------------------------------------
-- Starting

--- The first marker that is found anywhere upwards decides, then the second; without any, the file's own folder.
local function find_root(path, markers)
  local folder = vim.fn.fnamemodify(path, ":p:h")
  for _, marker in ipairs(markers) do
    local at = folder
    while true do
      if vim.loop.fs_stat(at .. "/" .. marker) then
        return at
      end
      local parent = vim.fn.fnamemodify(at, ":h")
      if parent == at then
        break
      end
      at = parent
    end
  end
  return folder
end

--- Neovim 0.7 has no vim.lsp.start, which starts one client for each root folder. By root folder.
---@type table<string, integer>
local started = {}

local function start_for(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  -- Only files: not what other plugins show under names like fugitive://.
  if vim.bo[buffer].buftype ~= "" or name == "" or name:match("^%a[%w+.-]+://") then
    return
  end
  local client_config = vim.tbl_extend("force", config, {
    name = "capuchin",
    root_dir = config.root_dir or find_root(name, config.root_markers),
  })
  if vim.lsp.start then
    vim.lsp.start(client_config, { bufnr = buffer })
    return
  end
  local root = client_config.root_dir
  client_config.on_exit = function(...)
    started[root] = nil
    config.on_exit(...)
  end
  started[root] = started[root] or vim.lsp.start_client(client_config)
  if started[root] then
    vim.lsp.buf_attach_client(buffer, started[root])
  end
end

--- Starts a client for every buffer that is open already.
local function start_for_open_buffers()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.tbl_contains(config.filetypes, vim.bo[buffer].filetype) then
      start_for(buffer)
    end
  end
end

--- Why the program cannot be run, or nil.
local function missing_program(cmd)
  if type(cmd) == "table" and vim.fn.executable(cmd[1]) == 0 then
    return ('there is no program "%s": install it, or give its path as cmd, see :help capuchin-setup'):format(cmd[1])
  end
end

local function has_program(cmd)
  local problem = missing_program(cmd)
  if problem then
    tell(problem, vim.log.levels.ERROR)
  end
  return not problem
end

--- The LSP configuration that counts; empty where nobody has set Capuchin up.
local function set_up()
  return starts_by_itself and vim.lsp.config.capuchin or config
end

--- Why there is no client for the current buffer: one sentence that says what helps.
local function why_not_running()
  local problem = missing_program(set_up().cmd)
  if problem then
    return problem
  end
  local is_set_up = config.cmd ~= nil
  if starts_by_itself then
    -- 0.11 cannot be asked.
    is_set_up = not vim.lsp.is_enabled or vim.lsp.is_enabled("capuchin")
  end
  if not is_set_up then
    local call = starts_by_itself and 'vim.lsp.enable("capuchin")' or 'require("capuchin").setup()'
    return ("not set up: call %s first, see :help capuchin-setup"):format(call)
  end
  if #all_clients() > 1 then
    return "running for several programs: go to a file of the one that you mean"
  end
  if not vim.tbl_contains(FILETYPES, vim.bo.filetype) then
    return "not running: open a script, a style sheet or an HTML file of the program first"
  end
  return "not running: :CapuchinLog says why, :CapuchinRestart tries again"
end

--- Starts Capuchin for scripts, style sheets and HTML. On Neovim 0.11 and newer it is the same as `vim.lsp.config("capuchin", …)` and
--- `vim.lsp.enable("capuchin")`.
---
---@param opts table|nil `root`, `port` and `cleanup` for the server, and any field of an LSP configuration, as `cmd`
function M.setup(opts)
  opts = vim.deepcopy(opts or {})
  opts.init_options = vim.tbl_extend("force", opts.init_options or {}, { root = opts.root, port = opts.port, cleanup = opts.cleanup })
  opts.root, opts.port, opts.cleanup = nil, nil, nil
  if vim.tbl_isempty(opts.init_options) then
    opts.init_options = nil
  end

  if starts_by_itself then
    vim.lsp.config("capuchin", opts)
    if has_program(vim.lsp.config.capuchin.cmd) then
      vim.lsp.enable("capuchin")
    end
    return
  end

  local defaults = dofile(vim.api.nvim_get_runtime_file("lsp/capuchin.lua", false)[1])
  config = vim.tbl_deep_extend("force", defaults, opts)
  if not has_program(config.cmd) then
    return
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("capuchin", { clear = true }),
    pattern = config.filetypes,
    callback = function(event)
      start_for(event.buf)
    end,
    desc = "Start Capuchin",
  })
  start_for_open_buffers()
end

-- ---------------------------------------------------------------------------------------------------------------------
-- What the commands do

--- Opens an address in the user's browser and says it, for whoever has none on this computer.
open_url = function(url)
  tell(url)
  if vim.ui.open then
    local _, problem = vim.ui.open(url)
    if problem then
      tell("no browser could be opened: " .. problem, vim.log.levels.WARN)
    end
    return
  end
  for _, command in ipairs({ { "xdg-open" }, { "open" }, { "wslview" }, { "rundll32", "url.dll,FileProtocolHandler" } }) do
    if vim.fn.executable(command[1]) == 1 then
      vim.fn.jobstart(vim.list_extend(command, { url }), { detach = true })
      return
    end
  end
  tell("no browser could be opened: there is neither xdg-open nor open", vim.log.levels.WARN)
end

--- `:CapuchinOpen`
function M.open()
  local client = wait_for_client()
  if not client then
    tell(why_not_running(), vim.log.levels.WARN)
    return
  end
  local url = session_of(client.id).url
  if url then
    open_url(url)
  else
    open_when_ready[client.id] = true
    tell("starting, the page opens in a moment")
  end
end

--- `:CapuchinStatus`
function M.show_status()
  local client = wait_for_client()
  if not client then
    tell(why_not_running(), vim.log.levels.WARN)
    return
  end
  local session = session_of(client.id)
  if not session.url then
    tell("starting")
    return
  end
  local text, detail = last_edit(session)
  local lines = { ("serving %s at %s, %s"):format(session.root, session.url, pages(session)) }
  if text then
    table.insert(lines, ("last edit: %s. %s"):format(text, detail))
  end
  tell(table.concat(lines, "\n"))
end

--- `:CapuchinRestart`
function M.restart()
  local clients = all_clients()
  if starts_by_itself then
    vim.lsp.enable("capuchin", false)
  end
  for _, client in ipairs(clients) do
    stopping[client.id] = true
    stop_client(client)
  end

  -- The new server is to have the old one's port, where the pages look for it: it waits until that one is gone.
  local patience = 100
  local function start_when_gone()
    local left = vim.tbl_filter(function(client)
      return vim.lsp.get_client_by_id(client.id) ~= nil
    end, clients)
    if #left > 0 and patience > 0 then
      patience = patience - 1
      if patience == 50 then
        for _, client in ipairs(left) do
          stop_client(client, true)
        end
      end
      vim.defer_fn(start_when_gone, 50)
      return
    end
    for _, client in ipairs(clients) do
      sessions[client.id] = nil
      open_when_ready[client.id] = nil
    end
    local cmd = set_up().cmd
    if not cmd or missing_program(cmd) then
      tell(why_not_running(), vim.log.levels.WARN)
    elseif starts_by_itself then
      vim.lsp.enable("capuchin")
    else
      start_for_open_buffers()
    end
  end
  start_when_gone()
end

--- `:CapuchinLog`: the server's log goes where Neovim writes that of all language servers.
function M.show_log()
  local log = require("vim.lsp.log")
  vim.cmd("tabnew " .. vim.fn.fnameescape(log.get_filename()))
  vim.bo.readonly = true
  vim.bo.autoread = true
  vim.cmd("normal! G")
end

-- ---------------------------------------------------------------------------------------------------------------------
-- For statuslines and other plugins

--- A few words like "live 2 ms · 1 page" for a statusline; empty where Capuchin does not run. The event
--- `User CapuchinChanged` tells when they change.
---@return string
function M.status()
  local client = current_client()
  local session = client and session_of(client.id)
  if not session then
    return ""
  end
  if not session.url then
    return "starting"
  end
  local text = last_edit(session)
  return (text and text .. " · " or "") .. pages(session)
end

--- The page's address, or nil while there is none.
---@return string|nil
function M.url()
  local client = current_client()
  return client and session_of(client.id).url
end

return M
