// The program's uncaught errors on their way to the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Errors } from "../errors.js";

const ORIGIN = "http://localhost:4177";

function errorsAt(time = { now: 0, isOpen: true }) {
  const sent = [];
  const errors = new Errors({ origin: ORIGIN, now: () => time.now, send: (message) => time.isOpen && (sent.push(message), true) });
  return { errors, sent, time };
}

/** An error with a stack as V8 writes it. */
function thrown(message, frames) {
  const error = new TypeError(message);
  error.stack = [`TypeError: ${message}`, ...frames.map((it) => `    at ${it}`)].join("\n");
  return error;
}

test("the frames are the program's, without the runtime's and without the origin", () => {
  const { errors, sent } = errorsAt();
  errors.tell(thrown("no", [
    `tick (${ORIGIN}/main.js:4:13)`,
    `eval (${ORIGIN}/main.js:3:9)`,
    `Evaluator.runModule (${ORIGIN}/@capuchin/runtime/evaluate.js:76:56)`,
    `new Shape (${ORIGIN}/src/shape.js:1:2)`,
  ]), "", `${ORIGIN}/@capuchin/runtime/evaluate.js`);
  assert.deepEqual(sent, [{
    type: "error", module: "/main.js", message: "TypeError: no",
    stack: "    at tick (/main.js:4:13)\n    at /main.js:3:9\n    at new Shape (/src/shape.js:1:2)",
  }]);
});

test("what is no Error is told with the file that the browser names", () => {
  const { errors, sent } = errorsAt();
  errors.tell("text", "Uncaught text", `${ORIGIN}/a%20b.js`);
  errors.tell(undefined, "Script error.");
  errors.tell("text", "Uncaught text", `${ORIGIN}/@capuchin/runtime/sites.js`);
  assert.deepEqual(sent, [
    { type: "error", module: "/a%20b.js", message: "Uncaught text" },
    { type: "error", message: "Script error." },
    { type: "error", message: "Uncaught text" },
  ]);
});

test("an error that comes again and again is told at its first, tenth and hundredth time", () => {
  const { errors, sent, time } = errorsAt();
  for (let frame = 0; frame < 250; frame++) {
    time.now += 16;
    errors.tell(thrown("no", [`tick (${ORIGIN}/main.js:4:13)`]), "");
  }
  assert.deepEqual(sent.map(({ count = 1 }) => count), [1, 10, 100]);
});

test("an error that was gone for a while is new, and others have counts of their own", () => {
  const { errors, sent, time } = errorsAt();
  const tick = () => errors.tell(thrown("no", [`tick (${ORIGIN}/main.js:4:13)`]), "");
  const draw = () => errors.tell(thrown("no", [`draw (${ORIGIN}/main.js:9:1)`]), "");
  tick();
  draw();
  tick();
  time.now += 5001;
  tick();
  assert.deepEqual(sent.map(({ stack }) => stack.trim().split(" ")[1]), ["tick", "draw", "tick"]);
});

test("what happens before there is a connection is told when there is one", () => {
  const { errors, sent, time } = errorsAt({ now: 0, isOpen: false });
  for (let i = 0; i < 12; i++) errors.tell(thrown("no", []), "");
  errors.sendWaiting();
  assert.deepEqual(sent, []);
  time.isOpen = true;
  errors.sendWaiting();
  errors.sendWaiting();
  assert.deepEqual(sent, [{ type: "error", message: "TypeError: no", count: 10 }]);
});

test("errors that cannot be read harm nobody", () => {
  const { errors, sent } = errorsAt();
  const error = new Error("x");
  Object.defineProperty(error, "message", { get() { throw new Error("unreadable"); } });
  errors.tell(error, "");
  assert.deepEqual(sent, []);
});
