import { planCapabilities } from "../linux/capabilities/plan.ts";
import { keepsGroups, planCredentials } from "../linux/credentials/plan.ts";
import { homeOf, type PlannedExecute, planExecution } from "../linux/execution/plan.ts";
import { planRlimits } from "../linux/rlimits/plan.ts";
import { environmentOf, type PlannedRootEmulation } from "../linux/root-emulation/plan.ts";
import type { PlannedAffinity } from "../linux/scheduling/plan.ts";
import { emulationFilter } from "../linux/seccomp/emulation.ts";
import { planAgent, planSeccomp } from "../linux/seccomp/plan.ts";
import { planTerminal } from "../linux/terminal/plan.ts";
import { cleanPath } from "../spec/path.ts";
import type { Config, Process } from "../spec/types.ts";
import type { HostFacts } from "./facts.ts";
import { seldomOf } from "./seldom.ts";
import type { Plan } from "./types.ts";

/** What a further process in a container depends on. `setgroupsDenied` and `passwd` are the container's. */
export interface ExecFacts
  extends Pick<
    HostFacts,
    | "arch"
    | "bounding"
    | "lastCapability"
    | "securityModules"
    | "setgroupsDenied"
    | "callerFiles"
    | "ownStreams"
    | "passwd"
  > {
  /** The namespaces that the container does not share with the caller: CLONE_NEW* or-ed. */
  readonly joins: number;
  /** One of them is its user namespace. */
  readonly joinsUser: boolean;
}

/** What `create` has decided and config.json does not say. */
export interface ContainerChoices {
  readonly id: string;
  /** The container has a session keyring of its own. */
  readonly newKeyring: boolean;
  readonly rootEmulation: PlannedRootEmulation;
  /** Of this command, not of `create`. */
  readonly keepGroups: boolean;
  readonly preserveFds: number;
}

/** Everything about one process that joins a container, decided. */
export interface ExecPlan
  extends Pick<
    Plan,
    | "seccomp"
    | "agent"
    | "emulation"
    | "credentials"
    | "capabilities"
    | "rlimits"
    | "oomScoreAdj"
    | "terminal"
    | "preserveFds"
    | "seldom"
    | "warnings"
  > {
  readonly joins: number;
  readonly joinsUser: boolean;
  readonly execution: PlannedExecute;
  /** null leaves the CPUs of the caller, and of the cgroup. */
  readonly affinity: PlannedAffinity | null;
}

/**
 * Decides about a process that `exec` adds. Pure.
 * @param config the container's
 * @param process from execProcess, checked by the rules
 * Throws SpecError for what cannot be done with these facts.
 */
export function resolveExec(
  config: Config,
  process: Process,
  facts: ExecFacts,
  choices: ContainerChoices,
): ExecPlan {
  const { user } = process;
  const { capabilities, warnings } = planCapabilities(process.capabilities, {
    available: facts.joinsUser ? (1n << BigInt(facts.lastCapability + 1)) - 1n : facts.bounding,
    last: facts.lastCapability,
  });
  const environment = [...environmentOf(choices.rootEmulation), ...(process.env ?? [])];
  const credentials = planCredentials(user, process.noNewPrivileges ?? false, {
    setgroupsDenied: facts.setgroupsDenied,
    keepGroups: keepsGroups(config.annotations, choices.keepGroups),
    newKeyring: choices.newKeyring,
    id: choices.id,
    ownStreams: facts.ownStreams,
  });
  // The container's mounts are made, and have their label.
  const { mountLabel: _, ...linux } = config.linux ?? {};
  const seldom = seldomOf(process, linux, facts);
  const seccomp = planSeccomp(config.linux?.seccomp, { arch: facts.arch });
  return Object.freeze({
    joins: facts.joins,
    joinsUser: facts.joinsUser,
    execution: planExecution(process.args ?? [], environment, cleanPath(process.cwd), {
      home: homeOf(facts.passwd, user.uid),
    }),
    terminal: planTerminal(process.terminal ?? false, process.consoleSize, user.uid),
    seccomp,
    agent: planAgent(config.linux?.seccomp, seccomp),
    emulation: emulationFilter(choices.rootEmulation.kind, facts),
    credentials,
    capabilities,
    rlimits: planRlimits(process.rlimits ?? [], facts),
    oomScoreAdj: process.oomScoreAdj,
    preserveFds: choices.preserveFds,
    seldom,
    affinity: affinityOf(process),
    warnings: seldom === null ? warnings : [...warnings, ...seldom.warnings],
  });
}

function affinityOf({ execCPUAffinity }: Process): PlannedAffinity | null {
  if (!execCPUAffinity) return null;
  const { planAffinity } =
    require("../linux/scheduling/plan.ts") as typeof import("../linux/scheduling/plan.ts");
  return planAffinity(execCPUAffinity);
}
