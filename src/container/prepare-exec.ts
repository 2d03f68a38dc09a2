import { SyscallError } from "../../ffi/error.ts";
import { readFile } from "../../ffi/file.ts";
import { endStage } from "../../ffi/timing.ts";
import { probeExec } from "../host/probe-exec.ts";
import type { PlannedRootEmulation } from "../linux/root-emulation/plan.ts";
import { annotateSeccomp } from "../linux/seccomp/annotations.ts";
import { execProcess } from "../plan/exec-process.ts";
import { type ExecPlan, resolveExec } from "../plan/resolve-exec.ts";
import { checkBundle } from "../rules/check.ts";
import { refuseUnsupported } from "../rules/supported.ts";
import { SpecError } from "../spec/error.ts";
import { parseConfig, parseProcess } from "../spec/parse.ts";
import type { Process } from "../spec/types.ts";
import type { StateRecord } from "../state/record.ts";
import { readKeptConfig } from "./kept-config.ts";
import type { ExecOptions } from "./options.ts";

/**
 * Reads, checks and resolves what `exec` is to run. The container's configuration is the one that it was created with: a
 * bundle may have been changed since, or be gone.
 * @param record of a container whose init is there
 * Throws SpecError, SyscallError, StateError.
 */
export function prepareExec(options: ExecOptions, record: StateRecord): ExecPlan {
  endStage("arguments");
  const kept = parseConfig(readKeptConfig(options));
  const config = annotateSeccomp(kept, globalThis.process.env.RUN_OCI_SECCOMP_RECEIVER);
  const process = execProcess(config.process, readDocument(options.processPath), options.process);
  const executed = { ...config, process };
  checkBundle(executed);
  refuseUnsupported(executed);
  endStage("rules");
  const facts = probeExec(record.pid, process);
  const plan = resolveExec(config, process, facts, {
    id: record.id,
    newKeyring: record.keyring !== "",
    rootEmulation: record.rootEmulation as PlannedRootEmulation,
    keepGroups: options.keepGroups,
    preserveFds: options.preserveFds,
  });
  for (const warning of plan.warnings) options.log.warn(warning);
  endStage("plan");
  return plan;
}

function readDocument(path: string | undefined): Process | undefined {
  if (path === undefined) return undefined;
  try {
    return parseProcess(readFile(path));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new SpecError("--process", `cannot be read: ${path}`, { cause: error });
  }
}
