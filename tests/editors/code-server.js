import { homedir } from "node:os";
import { join } from "node:path";
export const CODE_SERVER = "4.139.1";
export const NODE_MAJOR = "24";
export function cacheFolder() {
  return process.env.CAPUCHIN_CACHE ?? join(homedir(), ".cache", "capuchin-tests");
}
export function codeServerFolder() {
  return join(cacheFolder(), `code-server-${CODE_SERVER}-node-${NODE_MAJOR}`);
}
