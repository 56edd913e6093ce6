import { dusk, mountainColors, skyColors } from "./palette.js";

const STARS = Array.from({ length: 90 }, (_, i) => ({
  x: (i * 0.6180339) % 1,
  y: ((i * 0.7548776) % 1) ** 1.6,
  size: 0.6 + ((i * 0.569840) % 1) * 1.3,
  phase: i * 2.4,
}));

export function drawSky(ctx, view, time) {
  drawGradient(ctx, view);
  drawStars(ctx, view, time);
  drawSun(ctx, view, time);
  mountainColors().forEach((color, row) => drawMountains(ctx, view, row, color));
}

function drawGradient(ctx, view) {
  const gradient = ctx.createLinearGradient(0, 0, 0, view.height * 0.78);
  const colors = skyColors();
  colors.forEach((color, i) => gradient.addColorStop(i / (colors.length - 1), color));
  ctx.fillStyle = gradient;
  ctx.fillRect(0, 0, view.width, view.height);
}

function drawStars(ctx, view, time) {
  ctx.fillStyle = "#fff";
  for (const star of STARS) {
    const twinkle = 0.5 + 0.5 * Math.sin(time * 1.7 + star.phase);
    ctx.globalAlpha = (1 - star.y) * (0.25 + 0.6 * twinkle);
    ctx.beginPath();
    ctx.arc(star.x * view.width, star.y * view.height * 0.5, star.size, 0, Math.PI * 2);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

function drawSun(ctx, view, time) {
  const x = view.width * 0.68;
  const y = 326 - view.y * 0.08;
  const radius = 74;
  const halo = ctx.createRadialGradient(x, y, radius * 0.6, x, y, radius * (4.4 + Math.sin(time) * 0.12));
  halo.addColorStop(0, dusk(134, 100, 82, 0.55));
  halo.addColorStop(0.35, dusk(122, 100, 72, 0.2));
  halo.addColorStop(1, dusk(110, 100, 70, 0));
  ctx.fillStyle = halo;
  ctx.fillRect(0, 0, view.width, view.height);

  const disc = ctx.createLinearGradient(0, y - radius, 0, y + radius);
  disc.addColorStop(0, dusk(144, 100, 90));
  disc.addColorStop(1, dusk(100, 96, 68));
  ctx.fillStyle = disc;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, Math.PI * 2);
  ctx.fill();
}

function ridge(x, row) {
  const stretch = 1 + row * 0.25;
  return (
    Math.sin((x / 310) * stretch + row * 2.1) * 38 +
    Math.sin((x / 127) * stretch + row * 4.2) * 19 +
    Math.abs(Math.sin((x / 71) * stretch + row)) * 13
  );
}

function drawMountains(ctx, view, row, color) {
  const depth = 0.06 + row * 0.09;
  const base = 366 + row * 38 - view.y * depth;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.moveTo(0, view.height);
  for (let x = 0; x <= view.width + 8; x += 8) ctx.lineTo(x, base - ridge(x + view.x * depth, row));
  ctx.lineTo(view.width + 8, view.height);
  ctx.fill();

  // Mist gathers at the foot of each row.
  const mist = ctx.createLinearGradient(0, base - 40, 0, base + 90);
  mist.addColorStop(0, dusk(100, 70, 70, 0));
  mist.addColorStop(1, dusk(80, 60, 62, 0.3 - row * 0.08));
  ctx.fillStyle = mist;
  ctx.fillRect(0, base - 40, view.width, view.height);
}
