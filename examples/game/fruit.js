/** Paints one mango. It is called for every mango in every frame. */
export function drawFruit(ctx, fruit, time) {
  const hue = 38;
  const size = fruit.size;
  const bob = Math.sin(time * 3 + fruit.x / 60) * 5;

  ctx.save();
  ctx.translate(fruit.x, fruit.y + bob);
  drawGlow(ctx, hue, size * 3);
  drawFlesh(ctx, hue, size);
  drawLeaf(ctx, size);
  ctx.restore();
}

function drawGlow(ctx, hue, radius) {
  const glow = ctx.createRadialGradient(0, 0, 0, 0, 0, Math.max(1, radius));
  glow.addColorStop(0, `hsl(${hue} 100% 66% / 0.55)`);
  glow.addColorStop(1, `hsl(${hue} 100% 60% / 0)`);
  ctx.fillStyle = glow;
  ctx.beginPath();
  ctx.arc(0, 0, Math.max(1, radius), 0, Math.PI * 2);
  ctx.fill();
}

function drawFlesh(ctx, hue, size) {
  const skin = ctx.createRadialGradient(-size * 0.35, -size * 0.4, size * 0.1, 0, 0, size * 1.2);
  skin.addColorStop(0, `hsl(${hue + 14} 100% 82%)`);
  skin.addColorStop(0.45, `hsl(${hue} 100% 60%)`);
  skin.addColorStop(1, `hsl(${hue - 30} 92% 52%)`);
  ctx.fillStyle = skin;
  ctx.beginPath();
  ctx.ellipse(0, 0, size, size * 0.86, -0.5, 0, Math.PI * 2);
  ctx.fill();
}

function drawLeaf(ctx, size) {
  ctx.fillStyle = "#7ddc7a";
  ctx.beginPath();
  ctx.moveTo(size * 0.25, -size * 0.75);
  ctx.quadraticCurveTo(size * 0.5, -size * 1.6, size * 1.25, -size * 1.35);
  ctx.quadraticCurveTo(size * 1, -size * 0.7, size * 0.25, -size * 0.75);
  ctx.fill();
}
