import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

/** A program that said who it is. */
export interface Server {
  command: string;
  version: string;
}

/** Why there is no server to start, in one sentence for the user. */
export class LocatorError extends Error {
  /** The setting that would put it right, if one does. */
  readonly setting: string | undefined;

  constructor(message: string, setting?: string) {
    super(message);
    this.setting = setting;
  }
}

interface Candidate {
  command: string;
  /** Where it came from, as the user knows it. */
  origin: string;
  setting?: string;
}

/** Finds the server (the environment, then the setting, then the one that comes with the extension) and asks its version. */
export async function locateServer(extensionFolder: string, pathSetting: string): Promise<Server> {
  const candidate = chooseCandidate(extensionFolder, pathSetting);
  return { command: candidate.command, version: await askVersion(candidate) };
}

function chooseCandidate(extensionFolder: string, pathSetting: string): Candidate {
  const override = process.env["CAPUCHIN_BIN"];
  if (override !== undefined && override !== "") {
    return { command: override, origin: "the environment variable CAPUCHIN_BIN" };
  }
  if (pathSetting !== "") {
    return { command: pathSetting, origin: "the setting capuchin.path", setting: "capuchin.path" };
  }
  const bundled = path.join(extensionFolder, "bin", process.platform === "win32" ? "capuchin.exe" : "capuchin");
  if (!existsSync(bundled)) {
    throw new LocatorError(
      "This build of the Capuchin extension comes without a server: set capuchin.path to the capuchin program.",
      "capuchin.path",
    );
  }
  return { command: bundled, origin: "the extension" };
}

async function askVersion({ command, origin, setting }: Candidate): Promise<string> {
  let output: string;
  try {
    output = (await promisify(execFile)(command, ["--version"], { timeout: 10_000 })).stdout;
  } catch (error) {
    throw new LocatorError(`Capuchin's server from ${origin} could not be run: ${whatWentWrong(command, error)}`, setting);
  }
  const version = /^capuchin (\S+)/.exec(output)?.[1];
  if (version === undefined) {
    throw new LocatorError(`The program from ${origin}, ${command}, is not Capuchin's server.`, setting);
  }
  return version;
}

function whatWentWrong(command: string, error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return `there is no ${command}.`;
    case "EACCES":
      return `${command} may not be executed.`;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
