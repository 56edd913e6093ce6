import test from "node:test"; import fs from "node:fs"; import {execSync} from "node:child_process";
import { launchChromium } from "./support/chromium.js"; import { makeProject } from "./support/project.js";
import { fileAddress, packageExtension, startCodeServer } from "./editors/code-server.js";
test("x", async (t) => {
  const project = await makeProject(t, new URL("editors/project/", import.meta.url));
  const vsix = await packageExtension(t);
  const server = await startCodeServer(t, { folder: project.folder, vsix, settings: {"capuchin.port":0} });
  const browser = await launchChromium(t);
  const editor = await browser.newPage({viewport:{width:1200,height:700}});
  editor.on("console", m=>console.log("C", m.text().slice(0,300)));
  await editor.goto(fileAddress(server, project.path("main.js")));
  await editor.waitForTimeout(12000);
  await editor.screenshot({path:"/tmp/fake/s.png"});
  console.log(server.log());
  console.log(await editor.evaluate(()=>[...document.querySelectorAll(".statusbar-item")].map(x=>x.id+": "+x.textContent).join("\n")));
  console.log(execSync("ls -R /tmp/capuchin-code-server-*/data/logs; cat /tmp/capuchin-code-server-*/data/logs/*/exthost*/*.log | tail -40; find /tmp/capuchin-code-server-*/ -name '*apuchin*'; find /tmp/capuchin-code-server-*/data/logs -name 'Capuchin.log' -exec cat {} +").toString());
});
