/** Slow lights in the grass. Each one is a closure with its own path. */
export function createFireflies(count) {
  const flies = Array.from({ length: count }, (_, i) => createFirefly(i));
  return {
    draw(ctx, view, time) {
      ctx.globalCompositeOperation = "lighter";
      for (const drawFly of flies) drawFly(ctx, view, time);
      ctx.globalCompositeOperation = "source-over";
    },
  };
}

function createFirefly(index) {
  const home = index * 137.5;
  const depth = 0.75 + (index % 5) * 0.12;
  const pace = 0.5 + (index % 7) * 0.13;

  return (ctx, view, time) => {
    const span = view.width + 80;
    const across = (((home - view.x * depth) % span) + span) % span;
    const x = view.x + across - 40;
    const y = 440 + Math.sin(time * pace + index) * 46 + (index % 4) * 34;
    const light = Math.max(0, Math.sin(time * pace * 1.9 + index * 2));
    const glow = ctx.createRadialGradient(x, y, 0, x, y, 11);
    glow.addColorStop(0, `hsl(62 100% 70% / ${light * 0.4})`);
    glow.addColorStop(1, "hsl(62 100% 70% / 0)");
    ctx.fillStyle = glow;
    ctx.fillRect(x - 11, y - 11, 22, 22);
    ctx.fillStyle = `hsl(62 100% 82% / ${light * 0.9})`;
    ctx.beginPath();
    ctx.arc(x, y, 1.7, 0, Math.PI * 2);
    ctx.fill();
  };
}
