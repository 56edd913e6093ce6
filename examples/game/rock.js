import { dusk } from "./palette.js";

export function drawRock(ctx, rock) {
  const { size } = rock;
  ctx.save();
  ctx.translate(rock.x, rock.y + 4);
  ctx.globalAlpha = rock.hit ? 0.5 : 1;

  const shade = ctx.createLinearGradient(-size, -size, size, 0);
  shade.addColorStop(0, dusk(14, 24, 20));
  shade.addColorStop(0.6, dusk(20, 26, 33));
  shade.addColorStop(1, dusk(110, 60, 62));
  ctx.fillStyle = shade;
  ctx.beginPath();
  ctx.moveTo(-size, 0);
  ctx.lineTo(-size * 0.72, -size * 0.62);
  ctx.lineTo(-size * 0.2, -size);
  ctx.lineTo(size * 0.42, -size * 0.86);
  ctx.lineTo(size * 0.86, -size * 0.4);
  ctx.lineTo(size, 0);
  ctx.fill();

  ctx.fillStyle = dusk(10, 26, 15, 0.55);
  ctx.beginPath();
  ctx.moveTo(-size, 0);
  ctx.lineTo(-size * 0.72, -size * 0.62);
  ctx.lineTo(-size * 0.3, -size * 0.3);
  ctx.lineTo(-size * 0.1, 0);
  ctx.fill();
  ctx.restore();
}
