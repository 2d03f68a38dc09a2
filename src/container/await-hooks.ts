// What init does for hooks: it waits for them, and lets those in that run inside the container.
import { PR } from "../../ffi/constants/process.ts";
import type { Program } from "../../ffi/program/program.ts";
import type { PlannedNamespaces } from "../linux/namespaces/plan.ts";
import { recordAwait, recordTell } from "./sync.ts";

/**
 * Records: waits while bunc runs hooks. Everything is mounted, the caller's paths are still there, and the root can be
 * changed.
 */
export function recordAwaitHooks(program: Program, namespaces: PlannedNamespaces, sync: number): void {
  recordLetIn(program, namespaces);
  program.because("hooks");
  recordTell(program, sync, "hooks");
  recordAwait(program, sync);
  program.prctl(PR.SET_DUMPABLE, 0, 0, 0, 0);
}

/**
 * Records: lets hooks join this process, which a caller who may not look into other users' processes can do only while
 * it is dumpable. Not where a pid namespace was joined: whoever is there could look into it, too (CVE-2016-9962).
 */
export function recordLetIn(program: Program, namespaces: PlannedNamespaces): void {
  if (namespaces.pid.kind === "join") return;
  program.because("hooks");
  program.prctl(PR.SET_DUMPABLE, 1, 0, 0, 0);
}
