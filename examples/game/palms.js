import { dusk } from "./palette.js";

const SPACING = 190;

/** A row of palms between the mountains and the hills, swaying in the wind. */
export function drawPalms(ctx, view, time) {
  const depth = 0.5;
  const first = Math.floor((view.x * depth - 120) / SPACING);
  const last = Math.ceil((view.x * depth + view.width + 120) / SPACING);
  ctx.strokeStyle = dusk(0, 46, 16);
  ctx.lineCap = "round";
  for (let i = first; i <= last; i++) {
    const random = Math.abs(Math.sin(i * 78.233) * 43758.5453) % 1;
    const x = (i + random * 0.7) * SPACING - view.x * depth;
    drawPalm(ctx, x, 520 - view.y * depth, 130 + random * 90, wind(time, i));
  }
}

function wind(time, index) {
  return Math.sin(time * 1.1 + index * 1.7) * 0.5 + Math.sin(time * 2.3 + index) * 0.2;
}

function drawPalm(ctx, x, foot, height, sway) {
  const topX = x + height * 0.16 + sway * 9;
  const topY = foot - height;
  ctx.lineWidth = 6;
  ctx.beginPath();
  ctx.moveTo(x, foot);
  ctx.quadraticCurveTo(x - height * 0.06, foot - height * 0.55, topX, topY);
  ctx.stroke();

  ctx.lineWidth = 4;
  ctx.beginPath();
  for (let leaf = 0; leaf < 6; leaf++) {
    const angle = Math.PI * (0.94 + leaf * 0.224) + sway * 0.09;
    const length = 48 + (leaf % 2) * 10;
    const tipX = topX + Math.cos(angle) * length;
    const tipY = topY + Math.sin(angle) * length * 0.5 + 22;
    ctx.moveTo(topX, topY);
    ctx.quadraticCurveTo(topX + Math.cos(angle) * length * 0.6, topY + Math.sin(angle) * length * 0.7 - 6, tipX, tipY);
  }
  ctx.stroke();
}
