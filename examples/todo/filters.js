export const FILTERS = ["all", "open", "done"];

/** The to-dos that are shown, in the order in which they are shown. */
export function visible(todos, filter) {
  return todos.filter((todo) => belongs(todo, filter)).sort(order);
}

function belongs(todo, filter) {
  switch (filter) {
    case "open":
      return !todo.done;
    case "done":
      return todo.done;
    default:
      return true;
  }
}

function order(a, b) {
  return a.born - b.born;
}
