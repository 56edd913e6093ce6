import { createCourse } from "./course.js";
import { createFireflies } from "./fireflies.js";
import { drawFruit } from "./fruit.js";
import { drawGround, groundAt } from "./ground.js";
import { createInput, wantsToJump } from "./input.js";
import { Monkey } from "./monkey.js";
import { drawPalms } from "./palms.js";
import { createParticles } from "./particles.js";
import { createPopups } from "./popups.js";
import { createScore } from "./score.js";
import { drawRock } from "./rock.js";
import { drawSky } from "./sky.js";

const canvas = document.querySelector("#scene");
const ctx = canvas.getContext("2d");

// The world is 600 units high, whatever the window; `view` is the part of it that is seen.
const view = { x: 0, y: 0, width: 800, height: 600, scale: 1 };

const monkey = new Monkey(0, groundAt(0));
const course = createCourse();
const particles = createParticles();
const popups = createPopups();
const fireflies = createFireflies(26);
const score = createScore(document);
const input = createInput(window, () => monkey.jump(particles));

let time = 0;
let last = performance.now();
let shake = 0;

function resize() {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  view.scale = canvas.height / view.height;
  view.width = canvas.width / view.scale;
}

function eat(fruit) {
  fruit.eaten = true;
  const gained = score.add();
  popups.show(fruit.x, fruit.y - 18, `+${gained}`);
  particles.sparks(fruit.x, fruit.y);
}

function stumble(rock) {
  rock.hit = true;
  shake = 1;
  score.miss();
  monkey.stumble();
  particles.dust(rock.x, rock.y, 18);
}

function collide() {
  for (const fruit of course.fruits) {
    const reach = fruit.size + 26;
    if (!fruit.eaten && Math.hypot(fruit.x - monkey.x, fruit.y - monkey.middle) < reach) eat(fruit);
  }
  for (const rock of course.rocks) {
    const near = Math.abs(rock.x - monkey.x) < rock.size * 0.75;
    if (!rock.hit && near && monkey.y > rock.y - rock.size * 0.8) stumble(rock);
  }
}

function update(dt) {
  time += dt;
  shake = Math.max(0, shake - dt * 3);
  if (input.isIdle() && wantsToJump(monkey, course)) monkey.jump(particles);
  input.show(document);

  monkey.update(dt, particles);
  course.extend(view.x, view.x + view.width * 1.5);
  collide();
  particles.update(dt);
  popups.update(dt);
  score.update(dt);

  view.x = monkey.x - view.width * 0.3;
  view.y += (Math.min(0, monkey.y - 350) * 0.45 - view.y) * Math.min(1, dt * 4);
}

function draw() {
  ctx.setTransform(view.scale, 0, 0, view.scale, 0, 0);
  drawSky(ctx, view, time);
  drawPalms(ctx, view, time);

  ctx.save();
  ctx.translate(-view.x, -view.y);
  ctx.translate(Math.sin(time * 90) * shake * 7, Math.cos(time * 70) * shake * 5);
  drawGround(ctx, view);
  for (const rock of course.rocks) drawRock(ctx, rock);
  particles.draw(ctx);
  monkey.draw(ctx, time);
  for (const fruit of course.fruits) if (!fruit.eaten) drawFruit(ctx, fruit, time);
  fireflies.draw(ctx, view, time);
  popups.draw(ctx);
  ctx.restore();
}

function frame(now) {
  // The next frame is asked for first: half-typed drawing code may throw, and the game has to survive that.
  requestAnimationFrame(frame);
  const dt = Math.min(0.033, (now - last) / 1000);
  last = now;
  update(dt);
  draw();
}

new ResizeObserver(resize).observe(canvas);
resize();
requestAnimationFrame(frame);
