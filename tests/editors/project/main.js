let count = 0;

function label() {
  return `count: ${count}`;
}

function render() {
  document.querySelector("#label").textContent = label();
  requestAnimationFrame(render);
}

function add() {
  count += 1;
}

// What a fresh start of the program would make anew.
window.start = { born: performance.timeOrigin, add };

document.querySelector("#add").addEventListener("click", add);
render();
