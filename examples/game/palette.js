/** The hue that the whole evening is painted in, 0 to 360. */
export function duskHue() {
  return 264;
}

/** A colour of the evening: `turn` degrees away from the dusk hue. */
export function dusk(turn, saturation, lightness, alpha = 1) {
  const hue = ((Number(duskHue()) || 0) + turn + 720) % 360;
  return `hsl(${hue} ${saturation}% ${lightness}% / ${alpha})`;
}

export function skyColors() {
  return [dusk(-14, 58, 13), dusk(8, 46, 29), dusk(64, 52, 47), dusk(104, 88, 64), dusk(132, 100, 76)];
}

/** One colour for each row of mountains, the farthest first. */
export function mountainColors() {
  return [dusk(58, 38, 48), dusk(30, 38, 36), dusk(10, 42, 25)];
}

export function groundColors() {
  return { top: dusk(-8, 46, 19), bottom: dusk(-16, 58, 7), rim: dusk(120, 92, 70) };
}
