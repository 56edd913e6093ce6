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

// If the program is started afresh, this is another object.
window.start = { add };

document.querySelector("#add").addEventListener("click", add);
render();
