import { groundColors } from "./palette.js";

/** The height of the hills at `x`; larger is lower, as on the canvas. */
export function groundAt(x) {
  return 478 + Math.sin(x / 410) * 34 + Math.sin(x / 173 + 1.3) * 15;
}

export function slopeAt(x) {
  return Math.atan2(groundAt(x + 8) - groundAt(x - 8), 16);
}

export function drawGround(ctx, view) {
  const { top, bottom, rim } = groundColors();
  const from = Math.floor(view.x / 12) * 12 - 24;
  const to = view.x + view.width + 24;

  drawGrass(ctx, from, to, top);
  const fill = ctx.createLinearGradient(0, 440, 0, 660);
  fill.addColorStop(0, top);
  fill.addColorStop(1, bottom);
  ctx.fillStyle = fill;
  ctx.beginPath();
  ctx.moveTo(from, 900);
  for (let x = from; x <= to; x += 12) ctx.lineTo(x, groundAt(x));
  ctx.lineTo(to, 900);
  ctx.fill();

  ctx.strokeStyle = rim;
  ctx.globalAlpha = 0.75;
  ctx.lineWidth = 2.5;
  ctx.beginPath();
  for (let x = from; x <= to; x += 12) ctx.lineTo(x, groundAt(x));
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function drawGrass(ctx, from, to, color) {
  ctx.strokeStyle = color;
  ctx.lineWidth = 2.6;
  ctx.lineCap = "round";
  ctx.beginPath();
  for (let x = from; x <= to; x += 12) {
    const blade = Math.abs(Math.sin(x * 12.9898) * 43758.5453) % 1;
    const lean = (blade - 0.5) * 9;
    const y = groundAt(x);
    ctx.moveTo(x, y + 2);
    ctx.quadraticCurveTo(x + lean * 0.2, y - 4, x + lean, y - 6 - blade * 11);
  }
  ctx.stroke();
}
