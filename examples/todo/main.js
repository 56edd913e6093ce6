import { bindKeys } from "./keys.js";
import { createStore } from "./store.js";
import { render } from "./view.js";

const MINUTE = 60_000;

// Everything lives in memory: a real reload starts from here again.
const store = createStore([
  { text: "Buy mangoes", minutesAgo: 58 },
  { text: "Water the plants on the balcony", minutesAgo: 34, done: true },
  { text: "Answer the neighbours about Saturday", minutesAgo: 21 },
  { text: "Read two chapters", minutesAgo: 12 },
  { text: "Call the bicycle shop", minutesAgo: 3, done: true },
  { text: "Try to edit this page while it runs", minutesAgo: 0 },
].map(({ minutesAgo, ...todo }) => ({ ...todo, born: Date.now() - minutesAgo * MINUTE })));

const update = () => render(document, store);

document.querySelector("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.elements.text;
  store.add(field.value);
  field.value = "";
});
document.querySelector("#undo").addEventListener("click", () => store.undo());
bindKeys(document, store);

store.subscribe(update);
update();

// The ages count up, so the list is painted once a second in any case.
setInterval(update, 1000);
