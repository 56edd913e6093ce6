import { groundAt } from "./ground.js";

/** What lies ahead: rocks on the ground and mangoes in the air, laid out a little beyond the screen as the monkey runs. */
export function createCourse() {
  const fruits = [];
  const rocks = [];
  let laidUntil = 420;

  function addRock(x) {
    rocks.push({ x, y: groundAt(x), size: 20 + Math.random() * 12, hit: false });
  }

  function addFruit(x, height) {
    fruits.push({ x, y: groundAt(x) - height, size: 12, eaten: false });
  }

  /** A bow of mangoes, the shape of a jump. */
  function addBow(middle, count, top) {
    for (let i = 0; i < count; i++) {
      const t = (i / (count - 1)) * 2 - 1;
      addFruit(middle + t * 95, top * (1 - t * t * 0.7));
    }
  }

  function addRow(from, count) {
    for (let i = 0; i < count; i++) addFruit(from + i * 46, 34);
  }

  const pieces = [
    (x) => { addRock(x); addBow(x, 5, 150); },
    (x) => addRow(x - 60, 4),
    (x) => addBow(x, 7, 225),
    (x) => { addRock(x); addRow(x + 80, 3); },
  ];

  function forget(list, before) {
    while (list.length > 0 && list[0].x < before) list.shift();
  }

  return {
    fruits,
    rocks,
    extend(from, to) {
      while (laidUntil < to) {
        pieces[Math.floor(Math.random() * pieces.length)](laidUntil);
        laidUntil += 330 + Math.random() * 190;
      }
      forget(fruits, from - 200);
      forget(rocks, from - 200);
    },
  };
}
