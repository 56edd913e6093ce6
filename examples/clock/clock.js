import { svg } from "./svg.js";

/** The hands in the middle. */
export function createClock(hands, marks, readout) {
  for (let minute = 0; minute < 60; minute++) {
    const isHour = minute % 5 === 0;
    svg(marks, "line", {
      class: isHour ? "mark hour" : "mark",
      y1: isHour ? -302 : -300,
      y2: -292,
      transform: `rotate(${minute * 6})`,
    });
  }
  const hours = svg(hands, "line", { class: "hand hours", y1: 10, y2: -56 });
  const minutes = svg(hands, "line", { class: "hand minutes", y1: 12, y2: -86 });
  const seconds = svg(hands, "line", { class: "hand seconds", y1: 22, y2: -98 });
  svg(hands, "circle", { class: "pin", r: 5 });

  function turn(hand, angle) {
    hand.setAttribute("transform", `rotate(${angle})`);
  }

  return {
    draw(now) {
      const second = now.getSeconds() + now.getMilliseconds() / 1000;
      const minute = now.getMinutes() + second / 60;
      turn(seconds, second * 6);
      turn(minutes, minute * 6);
      turn(hours, (now.getHours() % 12) * 30 + minute / 2);
      readout.value = now.toLocaleTimeString("en-GB");
    },
  };
}
