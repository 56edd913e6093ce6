// The rules of webpack and Vite in Chromium, in pages as people have them.
import { test } from "node:test";
import { startServe } from "../support/binary.js";
import { launchChromium } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";
import { bufferWriter, cases, diskWriter, projectOfCases, run } from "./cases.js";
import { chromiumPage } from "./pages.js";

const only = process.env.CAPUCHIN_FIXTURE ?? "";

test("written to disk", async (t) => {
  const project = await makeProject(t, projectOfCases());
  const { url } = await startServe(t, project.folder);
  const page = await chromiumPage(await launchChromium(t), url);
  for (const it of cases) {
    if (it.name.includes(only)) await t.test(it.name, () => run(it, page, diskWriter(project, it.folder)).finally(page.leave));
  }
});

test("typed into buffers", async (t) => {
  const project = await makeProject(t, projectOfCases());
  const client = await startLsp(t, { root: project.folder });
  const page = await chromiumPage(await launchChromium(t), (await client.ready()).url);
  for (const it of cases) {
    if (!it.name.includes(only)) continue;
    const writer = bufferWriter(project, it.folder, client, it.files);
    await t.test(it.name, () => run(it, page, writer).finally(page.leave).finally(writer.close));
  }
});
