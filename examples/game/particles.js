import { gravity, sane } from "./physics.js";

/** Dust and sparks. The list lives in this closure: editing a function below does not clear it. */
export function createParticles() {
  const particles = [];

  function emit(x, y, angle, speed, look) {
    if (particles.length > 900) particles.shift();
    particles.push({ x, y, vx: Math.cos(angle) * speed, vy: Math.sin(angle) * speed, age: 0, ...look });
  }

  function fade(particle) {
    return 1 - particle.age / particle.life;
  }

  return {
    dust(x, y, count) {
      for (let i = 0; i < count; i++) {
        const angle = Math.PI + Math.random() * Math.PI;
        emit(x, y, angle, 20 + Math.random() * 60, { hue: 30, size: 3 + Math.random() * 5, life: 0.6, weight: 0.02, soft: true });
      }
    },

    sparks(x, y) {
      const count = 16;
      for (let i = 0; i < count; i++) {
        const angle = (i / count) * Math.PI * 2;
        emit(x, y, angle, 90 + Math.random() * 190, { hue: 20 + Math.random() * 35, size: 2.4, life: 0.8, weight: 0.16, soft: false });
      }
    },

    update(dt) {
      const pull = sane(gravity(), 0);
      for (let i = particles.length - 1; i >= 0; i--) {
        const it = particles[i];
        it.age += dt;
        it.vy += pull * it.weight * dt;
        it.x += it.vx * dt;
        it.y += it.vy * dt;
        if (it.age >= it.life) particles.splice(i, 1);
      }
    },

    draw(ctx) {
      for (const it of particles) {
        ctx.globalCompositeOperation = it.soft ? "source-over" : "lighter";
        ctx.fillStyle = it.soft ? `hsl(${it.hue} 45% 78% / ${fade(it) * 0.3})` : `hsl(${it.hue} 100% 64% / ${fade(it)})`;
        ctx.beginPath();
        ctx.arc(it.x, it.y, it.size * (it.soft ? 2 - fade(it) : 0.4 + fade(it)), 0, Math.PI * 2);
        ctx.fill();
      }
      ctx.globalCompositeOperation = "source-over";
    },
  };
}
