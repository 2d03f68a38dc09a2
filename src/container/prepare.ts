import { endStage } from "../../ffi/timing.ts";
import { absolutePath, findBundle } from "../bundle/directory.ts";
import { probeHost } from "../host/probe.ts";
import { annotateSeccomp } from "../linux/seccomp/annotations.ts";
import { resolve } from "../plan/resolve.ts";
import type { Plan } from "../plan/types.ts";
import { checkBundle } from "../rules/check.ts";
import { refuseUnsupported } from "../rules/supported.ts";
import { parseConfig } from "../spec/parse.ts";
import type { Config } from "../spec/types.ts";
import { files } from "../state/record.ts";
import type { CreateOptions } from "./options.ts";

/** From argv and bytes to a plan: nothing of the machine has been changed yet. */
export interface Prepared {
  readonly plan: Plan;
  readonly config: Config;
  /** config.json as it was read. */
  readonly bytes: Uint8Array;
}

/** Reads, checks and resolves a bundle. Throws SpecError, and SyscallError when the bundle cannot be read. */
export function prepare(options: CreateOptions): Prepared {
  endStage("arguments");
  const { path, bytes } = findBundle(options.bundle, options.configPath);
  endStage("read config.json");
  const config = annotateSeccomp(parseConfig(bytes), process.env.RUN_OCI_SECCOMP_RECEIVER);
  endStage("parse");
  checkBundle(config);
  refuseUnsupported(config);
  endStage("rules");
  const bundle = { path, config };
  const facts = probeHost(bundle, options.cgroupManager);
  endStage("probe host");
  const plan = resolve(bundle, facts, {
    ...options,
    notifyDirectory:
      options.notifySocket === undefined
        ? undefined
        : absolutePath(`${options.root}/${options.id}/${files.notify}`),
  });
  endStage("plan");
  for (const warning of plan.warnings) options.log.warn(warning);
  for (const note of plan.cgroup.notes) options.log.debug(note);
  return { plan, config, bytes };
}
