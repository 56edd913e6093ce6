import { visible } from "./filters.js";

export function bindKeys(document, store) {
  const input = document.querySelector("#text");

  /** Chooses the neighbour of the chosen to-do. */
  function move(step) {
    const shown = visible(store.todos, store.filter);
    if (shown.length === 0) return;
    const at = shown.findIndex((todo) => todo.id === store.chosen);
    const next = Math.min(shown.length - 1, Math.max(0, at + step));
    store.choose(shown[next].id);
  }

  const commands = {
    n: () => input.focus(),
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    x: () => store.toggle(store.chosen),
    u: () => store.undo(),
    Backspace: () => {
      const gone = store.chosen;
      move(1);
      if (store.chosen === gone) move(-1);
      store.remove(gone);
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === input) {
      if (event.key === "Escape") input.blur();
      return;
    }
    const command = commands[event.key];
    if (!command) return;
    event.preventDefault();
    command();
  });
}
