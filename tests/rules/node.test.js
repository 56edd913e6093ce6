// The rules of webpack and Vite in plain Node: from the source text through the real compiler and server to the runtime.
import { test } from "node:test";
import { startServe } from "../support/binary.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";
import { bufferWriter, cases, diskWriter, projectOfCases, run } from "./cases.js";
import { nodePage } from "./pages.js";

const only = process.env.CAPUCHIN_FIXTURE ?? "";

test("written to disk", async (t) => {
  const project = await makeProject(t, projectOfCases());
  const { url } = await startServe(t, project.folder);
  const page = await nodePage(url);
  for (const it of cases) {
    if (it.name.includes(only)) await t.test(it.name, () => run(it, page, diskWriter(project, it.folder)));
  }
  await page.close();
});

test("typed into buffers", async (t) => {
  const project = await makeProject(t, projectOfCases());
  const client = await startLsp(t, { root: project.folder });
  const page = await nodePage((await client.ready()).url);
  for (const it of cases) {
    if (!it.name.includes(only)) continue;
    const writer = bufferWriter(project, it.folder, client, it.files);
    await t.test(it.name, () => run(it, page, writer).finally(page.leave).finally(writer.close));
  }
  await page.close();
});
