import { svg } from "./svg.js";

const INNER = 142;
const GAP = 42;

/** The four rings of steps around the clock, and the sweep that turns over them. */
export function createRings(group, sweepGroup, tracks) {
  const angle = 360 / tracks.steps;
  const pulses = new Map();
  const refreshers = [];

  tracks.all.forEach((track, ring) => {
    const radius = INNER + ring * GAP;
    svg(group, "circle", { class: "track", r: radius });
    for (let step = 0; step < tracks.steps; step++) addStep(track, step, radius);
  });
  const sweep = createSweep(sweepGroup, angle);

  function addStep(track, step, radius) {
    const button = svg(group, "g", {
      class: "step",
      role: "button",
      tabindex: 0,
      transform: `rotate(${step * angle}) translate(0 ${-radius})`,
      style: `--color: ${track.color}`,
      "aria-label": `${track.voice}, step ${step + 1}`,
    });
    svg(button, "circle", { class: "hit", r: 17 });
    const dot = svg(button, "circle", { class: "dot", r: 4 });
    const ring = svg(button, "circle", { class: "pulse", r: 9 });

    function refresh() {
      const on = track.isOn(step);
      button.setAttribute("aria-pressed", String(on));
      dot.setAttribute("r", on ? 9 : 4);
    }

    function toggle() {
      track.toggle(step);
      refresh();
    }

    button.addEventListener("click", toggle);
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle();
    });
    refreshers.push(refresh);
    pulses.set(`${track.voice} ${step}`, () => pulse(dot, ring));
    refresh();
  }

  return {
    pulse: (track, step) => pulses.get(`${track.voice} ${step}`)(),
    turn: (position) => sweep.setAttribute("transform", `rotate(${position * angle})`),
    refresh() {
      for (const refresh of refreshers) refresh();
    },
  };
}

/** What a step does when it is played. */
function pulse(dot, ring) {
  const size = 2.6;
  dot.animate([{ transform: "scale(1.45)" }, { transform: "scale(1)" }], { duration: 260, easing: "ease-out" });
  ring.animate(
    [{ transform: "scale(1)", opacity: 0.9 }, { transform: `scale(${size})`, opacity: 0 }],
    { duration: 620, easing: "ease-out" },
  );
}

/** A line with a fading fan behind it. */
function createSweep(group, angle) {
  const outer = INNER + 3 * GAP + 16;
  for (let i = 0; i < 24; i++) {
    const from = ((-i - 1) * angle * 4) / 24;
    const to = (-i * angle * 4) / 24;
    svg(group, "path", { d: slice(from, to, outer), fill: "#8fb0ff", opacity: 0.17 * (1 - i / 24) ** 1.6 });
  }
  svg(group, "line", { class: "sweep-line", y1: -112, y2: -outer });
  return group;
}

function slice(from, to, radius) {
  const at = (degrees) => {
    const radians = (degrees * Math.PI) / 180;
    return `${(Math.sin(radians) * radius).toFixed(2)} ${(-Math.cos(radians) * radius).toFixed(2)}`;
  };
  return `M0 0L${at(from)}A${radius} ${radius} 0 0 1 ${at(to)}Z`;
}
