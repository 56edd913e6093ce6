const STEPS = 16;

/** The four rings: which steps are on, and which note each step has. */
export function createTracks() {
  const tracks = [
    createTrack("kick", "#ff7a66", "x...x...x...x.x."),
    createTrack("hat", "#6fd6c4", "..x...x...x.x.xx"),
    createTrack("pluck", "#ffc46b", "x..x..x.x..x..x."),
    createTrack("bell", "#a9a4ff", "x.......x...x..."),
  ];

  return {
    steps: STEPS,
    all: tracks,
    playing: (step) => tracks.filter((track) => track.isOn(step)),
    shuffle() {
      for (const track of tracks) track.shuffle();
    },
  };
}

function createTrack(voice, color, pattern) {
  let on = [...pattern].map((sign) => sign === "x");
  let degrees = on.map((_, step) => [0, 2, 4, 3, 5, 4, 2, 1][(step * 3) % 8]);

  return {
    voice,
    color,
    isOn: (step) => on[step],
    degree: (step) => degrees[step] + (voice === "bell" ? 5 : 0),
    toggle(step) {
      on[step] = !on[step];
    },
    shuffle() {
      const chance = voice === "bell" ? 0.2 : 0.4;
      on = on.map((_, step) => Math.random() < chance || (voice === "kick" && step % 8 === 0));
      degrees = degrees.map(() => Math.floor(Math.random() * 7));
    },
  };
}
