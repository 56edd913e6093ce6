// The music: change it while it plays. Press "Sound on" in the page first.

/** Beats in a minute. */
export function tempo() {
  return 92;
}

/** The scale: half tones above the lowest note. */
export function scale() {
  return [0, 3, 5, 7, 10];
}

/** The half tones of a degree of the scale, over any number of octaves. */
function halfTones(degree) {
  const notes = scale();
  const octave = Math.floor(degree / notes.length);
  return notes[degree - octave * notes.length] + 12 * octave;
}

export function frequency(degree) {
  return 220 * 2 ** (halfTones(degree) / 12);
}

export function noteName(degree) {
  const names = ["A", "A♯", "B", "C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯"];
  return names[((halfTones(degree) % 12) + 12) % 12] ?? "?";
}
