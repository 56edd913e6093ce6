import { test } from "node:test";
import { Bench } from "./bench.js";
for (const [a, b] of [["6", "p56"], ["", "x"]]) {
test("x", async (t) => {
  const bench = await Bench.start(t);
  const src = `export class K { constructor(p54, p56, p555) {
  for (let i = 0; i < 3; i++) { let v60 = p56; }
  const f73 = (p74) => {
    let v = ((function (x) { return p54 | 0; })(p54)) | 0;
    return v;
  };
  this.x = f73(); } }
`;
  const program = await bench.open({ "main.js": src });
  const d = program.document;
  const at = d.text.indexOf(")(p54)") + ")(p5".length;
  let v = d.edit(at, at + 1, a === "" ? "6" : "");
  console.log(JSON.stringify(await program.judged(v)));
  v = d.edit(at, at, a);
  console.log(JSON.stringify(await program.judged(v)));
  program.close();
});
}
