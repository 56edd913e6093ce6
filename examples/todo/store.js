/** The to-dos, the filter and the history. All of it is captured by the functions below and by nothing else. */
export function createStore(initial) {
  let nextId = 1;
  let todos = initial.map((todo) => make(todo));
  let filter = "all";
  let chosen = todos[0]?.id ?? null;
  const history = [];
  const listeners = new Set();

  function make({ text, born = Date.now(), done = false }) {
    return { id: nextId++, text, born, done };
  }

  function tell() {
    for (const listener of [...listeners]) listener();
  }

  function change(next) {
    history.push(todos);
    if (history.length > 100) history.shift();
    todos = next;
    tell();
  }

  return {
    get todos() {
      return todos;
    },
    get filter() {
      return filter;
    },
    get chosen() {
      return chosen;
    },
    get canUndo() {
      return history.length > 0;
    },

    add(text) {
      const clean = text.trim();
      if (clean === "") return;
      const todo = make({ text: clean });
      chosen = todo.id;
      change([...todos, todo]);
    },

    toggle(id) {
      change(todos.map((todo) => (todo.id === id ? { ...todo, done: !todo.done } : todo)));
    },

    remove(id) {
      change(todos.filter((todo) => todo.id !== id));
    },

    undo() {
      if (history.length === 0) return;
      todos = history.pop();
      tell();
    },

    show(name) {
      filter = name;
      tell();
    },

    choose(id) {
      chosen = id;
      tell();
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
