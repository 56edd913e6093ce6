import { groundAt, slopeAt } from "./ground.js";
import { gravity, jumpSpeed, runSpeed, sane } from "./physics.js";

const FUR = "#6b4030";
const DARK_FUR = "#3a2119";
const CREAM = "#f6dcb5";

export class Monkey {
  #jumpsLeft = 2;
  #speedUp = 0;

  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.stride = 0;
    this.squash = 0;
    this.spin = 0;
    this.dizzy = 0;
  }

  get inAir() {
    return this.#jumpsLeft < 2;
  }

  get falling() {
    return this.#speedUp < 0;
  }

  get canJump() {
    return this.#jumpsLeft > 0;
  }

  get middle() {
    return this.y - 32;
  }

  jump(particles) {
    if (this.#jumpsLeft === 0) return;
    if (this.#jumpsLeft === 1) this.spin = 1;
    this.#jumpsLeft -= 1;
    this.#speedUp = sane(jumpSpeed(), 0);
    this.squash = -0.28;
    particles.dust(this.x, this.y, 7);
  }

  stumble() {
    this.dizzy = 1;
    this.squash = 0.4;
  }

  update(dt, particles) {
    const pace = sane(runSpeed(), 0) * (1 - 0.6 * this.dizzy);
    this.x += pace * dt;
    this.stride += (pace * dt) / 21;
    this.dizzy = Math.max(0, this.dizzy - dt * 1.6);
    this.squash *= Math.exp(-dt * 9);
    this.spin = Math.max(0, this.spin - dt * 2.1);
    if (this.inAir) this.fly(dt, particles);
    else this.walk(particles);
  }

  fly(dt, particles) {
    this.#speedUp -= sane(gravity(), 0) * dt;
    // Nobody leaves for space: with a negative gravity the sky has a ceiling.
    this.y = Math.max(-140, this.y - this.#speedUp * dt);
    if (this.y >= groundAt(this.x) && this.falling) this.land(particles);
  }

  walk(particles) {
    this.y = groundAt(this.x);
    if (Math.random() < 0.12) particles.dust(this.x - 12, this.y, 1);
  }

  land(particles) {
    this.y = groundAt(this.x);
    this.#jumpsLeft = 2;
    this.#speedUp = 0;
    this.spin = 0;
    this.squash = 0.3;
    particles.dust(this.x, this.y, 8);
  }

  draw(ctx, time) {
    ctx.save();
    ctx.translate(this.x, this.y);
    ctx.rotate(this.inAir ? -this.#speedUp / 4200 : slopeAt(this.x));
    ctx.translate(0, -30);
    ctx.rotate(this.spin * Math.PI * -2);
    ctx.rotate(Math.sin(time * 24) * 0.22 * this.dizzy);
    ctx.translate(0, 30);
    ctx.scale(1.15 * (1 + this.squash), 1.15 * (1 - this.squash));
    this.drawTail(ctx, time);
    this.drawLimbs(ctx, DARK_FUR, Math.PI);
    this.drawBody(ctx);
    this.drawLimbs(ctx, FUR, 0);
    this.drawHead(ctx, time);
    ctx.restore();
  }

  drawTail(ctx, time) {
    const sway = Math.sin(time * 6) * 7;
    ctx.strokeStyle = DARK_FUR;
    ctx.lineWidth = 6;
    ctx.lineCap = "round";
    ctx.beginPath();
    ctx.moveTo(-16, -24);
    ctx.bezierCurveTo(-44, -18, -52, -46 + sway, -40, -58 + sway);
    ctx.bezierCurveTo(-33, -66 + sway, -22, -58 + sway, -29, -50 + sway);
    ctx.stroke();
  }

  drawLimbs(ctx, color, phase) {
    const swing = this.inAir ? 0.9 : Math.sin(this.stride + phase);
    const lift = this.inAir ? 6 : Math.max(0, Math.cos(this.stride + phase)) * 7;
    ctx.strokeStyle = color;
    ctx.lineWidth = 8;
    ctx.lineCap = "round";
    ctx.beginPath();
    ctx.moveTo(-10, -20);
    ctx.quadraticCurveTo(-8 + swing * 6, -10, -8 + swing * 15, -3 - lift);
    ctx.moveTo(9, -30);
    ctx.quadraticCurveTo(14 - swing * 6, -20, 15 - swing * 14, -12 - lift * 0.6);
    ctx.stroke();
  }

  drawBody(ctx) {
    ctx.fillStyle = FUR;
    ctx.beginPath();
    ctx.ellipse(-2, -27, 19, 14, -0.35, 0, Math.PI * 2);
    ctx.fill();
    ctx.fillStyle = CREAM;
    ctx.beginPath();
    ctx.ellipse(8, -29, 9, 8, -0.5, 0, Math.PI * 2);
    ctx.fill();
  }

  drawHead(ctx, time) {
    const blink = Math.sin(time * 2.3) > 0.985 ? 0.15 : 1;
    const circle = (x, y, rx, ry, color) => {
      ctx.fillStyle = color;
      ctx.beginPath();
      ctx.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
      ctx.fill();
    };
    circle(6, -50, 6, 6, FUR);
    circle(17, -47, 15, 14, CREAM);
    ctx.fillStyle = DARK_FUR;
    ctx.beginPath();
    ctx.arc(16, -50, 14.5, Math.PI * 0.86, Math.PI * 1.94);
    ctx.quadraticCurveTo(20, -55, 14, -50);
    ctx.fill();
    circle(7, -48, 4.5, 5, FUR);
    circle(22, -47, 2.6, 3.2 * blink, "#24130d");
    circle(22.8, -48.2, 0.9, 0.9 * blink, "#fff");
    circle(29, -42, 2, 1.6, "#b9836a");
    ctx.strokeStyle = "#8c5642";
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    ctx.arc(24, -41, 5, Math.PI * 0.15, Math.PI * 0.75);
    ctx.stroke();
  }
}
