import test from "node:test"; import {execSync} from "node:child_process";
import { launchChromium } from "../support/chromium.js"; import { makeProject } from "../support/project.js";
import { fileAddress, packageExtension, startCodeServer } from "./code-server.js";
test("x", async (t) => {
  const vsix = await packageExtension(t);
  console.log(execSync(`python3 -c "import zipfile,sys;[print(oct(i.external_attr>>16),i.file_size,i.filename) for i in zipfile.ZipFile('${vsix}').infolist()]"; ls -la ${vsix}`).toString());
  const project = await makeProject(t, new URL("project/", import.meta.url));
  const server = await startCodeServer(t, { folder: project.folder, vsix, settings: {"capuchin.port":4800} });
  const browser = await launchChromium(t);
  const editor = await browser.newPage({viewport:{width:1200,height:700}});
  await editor.goto(fileAddress(server, project.path("main.js")));
  const item=(x)=>editor.locator(".statusbar-item[id^='capuchin.capuchin']", { hasText: x });
  await item("no page").waitFor({timeout:120000});
  const page = await browser.newPage(); await page.goto("http://127.0.0.1:4800/");
  await item("1 page").waitFor();
  await item("1 page").hover(); await editor.waitForTimeout(1500); await editor.screenshot({path:"/tmp/e/hover.png"});
  for (let i=0;i<4;i++) {
    const pids=()=>execSync("pgrep -f 'capuchin-code-server.*/bin/capuchin lsp'; true").toString().trim();
    const pid=pids(); console.log("pid",pid, "kill"); process.kill(Number(pid.split("\n")[0]),"SIGKILL"); 
    const t0=Date.now();
    if(i<3){ await item("Capuchin").or(item("no page")).first().waitFor(); while(!/^\d+$/.test(pids())||pids()===pid){await editor.waitForTimeout(50)}; await item("1 page").waitFor(); console.log("page back after", Date.now()-t0)}
    else { await editor.locator(".notification-toast",{hasText:"several times"}).waitFor(); console.log("gave up with a message") }
  }
  await editor.screenshot({path:"/tmp/e/crash.png"});
  await editor.locator(".notification-toast").getByRole("button",{name:"Restart"}).click();
  await item("1 page").waitFor(); console.log("restarted by button; page is back");
  // many restarts at once
  for (let i=0;i<5;i++){ await editor.keyboard.press("F1"); await editor.locator(".quick-input-widget input").fill(">Capuchin: Restart"); await editor.keyboard.press("Enter"); }
  await editor.waitForTimeout(4000);
  await item("1 page").waitFor();
  console.log(execSync("pgrep -fa 'capuchin-code-server.*/bin/capuchin lsp'").toString());
  await editor.keyboard.press("F1"); await editor.locator(".quick-input-widget input").fill(">Capuchin: Show Log"); await editor.keyboard.press("Enter"); await editor.waitForTimeout(2000);
  await editor.screenshot({path:"/tmp/e/log.png"});
});
