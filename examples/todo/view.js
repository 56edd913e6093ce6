import { FILTERS, visible } from "./filters.js";
import { age, isOld, longDate, summary } from "./format.js";
import { h, setText } from "./dom.js";

// The elements that are on the page, by the id of their to-do.
const rows = new Map();

export function render(document, store) {
  const now = Date.now();
  setText(document.querySelector("#date"), longDate(now));
  renderRing(document.querySelector("#ring"), store.todos);
  renderList(document.querySelector("#list"), store, now);
  renderFilters(document.querySelector("#filters"), store);
  setText(document.querySelector("#summary"), summary(store.todos.filter((todo) => !todo.done).length));
  document.querySelector("#undo").disabled = !store.canUndo;
}

function renderRing(ring, todos) {
  const done = todos.filter((todo) => todo.done).length;
  const percent = todos.length === 0 ? 100 : Math.round((done / todos.length) * 100);
  ring.style.setProperty("--done", `${percent}%`);
  ring.setAttribute("aria-label", `${percent} percent done`);
  setText(ring.firstElementChild, `${percent}%`);
}

function renderList(list, store, now) {
  const shown = visible(store.todos, store.filter);
  const elements = shown.map((todo) => {
    const row = rows.get(todo.id) ?? createRow(todo.id, store);
    renderRow(row, todo, todo.id === store.chosen, now);
    return row.element;
  });
  if (elements.length === 0) elements.push(h("li", { className: "empty" }, "Nothing here."));
  arrange(list, elements);
}

function createRow(id, store) {
  const box = h("input", { type: "checkbox", className: "box", onchange: () => store.toggle(id) });
  const label = h("span", { className: "label" });
  const born = h("span", { className: "age" });
  const remove = h("button", { type: "button", className: "remove", ariaLabel: "Delete", onclick: () => store.remove(id) }, "×");
  const element = h("li", { className: "item", onclick: () => store.choose(id) }, box, label, born, remove);
  const row = { element, box, label, born };
  rows.set(id, row);
  return row;
}

function renderRow(row, todo, isChosen, now) {
  row.element.classList.toggle("done", todo.done);
  row.element.classList.toggle("chosen", isChosen);
  row.element.classList.toggle("old", isOld(todo.born, now));
  row.box.checked = todo.done;
  row.box.ariaLabel = todo.text;
  setText(row.label, todo.text);
  setText(row.born, age(todo.born, now));
}

/** Puts exactly these elements into the list and moves only those that are not in place, so that focus stays. */
function arrange(list, elements) {
  elements.forEach((element, i) => {
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild.remove();
}

function renderFilters(nav, store) {
  if (nav.children.length === 0) {
    nav.append(...FILTERS.map((name) => h("button", { type: "button", name, onclick: () => store.show(name) }, name)));
  }
  for (const button of nav.children) button.ariaPressed = String(button.name === store.filter);
}
