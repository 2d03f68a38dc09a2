import { SpecError } from "../spec/error.ts";
import type { Capabilities, Process, User } from "../spec/types.ts";

/** What the command line of `exec` says of the process; undefined, or an empty list, leaves it as it is. */
export interface ProcessOverrides {
  /** The command; empty when a document names it. */
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** NAME=VALUE, added to the environment: the last entry of a name wins. */
  readonly env: readonly string[];
  readonly terminal: boolean;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Added to the user's groups. */
  readonly additionalGids: readonly number[];
  readonly noNewPrivileges: boolean;
  readonly selinuxLabel: string | undefined;
  readonly apparmorProfile: string | undefined;
  /** Added to the bounding, effective and permitted sets, and to no other (CVE-2022-29162). */
  readonly capabilities: readonly string[];
}

/**
 * The process that `exec` adds to a container.
 * @param container the process of the container's config.json; undefined when it has none
 * @param document what --process names, in place of it; undefined without the option
 * @throws SpecError when there is neither
 */
export function execProcess(
  container: Process | undefined,
  document: Process | undefined,
  overrides: ProcessOverrides,
): Process {
  const base = document ? completed(document, container) : container && startingPoint(container);
  if (!base) throw new SpecError("process", "is missing in the container's config.json: pass --process");
  const { args, cwd, env, terminal, noNewPrivileges, capabilities } = overrides;
  const { selinuxLabel, apparmorProfile } = overrides;
  return {
    ...base,
    user: userOf(base.user, overrides),
    ...(args.length > 0 ? { args: [...args] } : {}),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env.length > 0 ? { env: [...(base.env ?? []), ...env] } : {}),
    ...(terminal ? { terminal } : {}),
    ...(noNewPrivileges ? { noNewPrivileges } : {}),
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(capabilities.length > 0 ? { capabilities: added(base.capabilities ?? {}, capabilities) } : {}),
  };
}

/** The container's own process has a terminal or not: that says nothing of another one. */
function startingPoint(container: Process): Process {
  const { terminal: _, consoleSize: __, ...rest } = container;
  return rest;
}

/** What belongs to the container rather than to one of its processes: runc takes it from config.json as well. */
function completed(document: Process, container: Process | undefined): Process {
  const { capabilities, rlimits, oomScoreAdj, user } = container ?? {};
  const { scheduler, ioPriority, execCPUAffinity } = container ?? {};
  // An empty one is none: no document makes a process less confined than the container is.
  const selinuxLabel = document.selinuxLabel || container?.selinuxLabel;
  const apparmorProfile = document.apparmorProfile || container?.apparmorProfile;
  const umask = user?.umask;
  return {
    ...(capabilities ? { capabilities } : {}),
    ...(rlimits ? { rlimits } : {}),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(scheduler ? { scheduler } : {}),
    ...(ioPriority ? { ioPriority } : {}),
    ...(execCPUAffinity ? { execCPUAffinity } : {}),
    ...document,
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    user: { ...(umask === undefined ? {} : { umask }), ...document.user },
  };
}

function userOf(user: User, { uid, gid, additionalGids }: ProcessOverrides): User {
  return {
    ...user,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(additionalGids.length > 0
      ? { additionalGids: [...(user.additionalGids ?? []), ...additionalGids] }
      : {}),
  };
}

function added(sets: Capabilities, names: readonly string[]): Capabilities {
  const { bounding = [], effective = [], permitted = [] } = sets;
  return {
    ...sets,
    bounding: [...bounding, ...names],
    effective: [...effective, ...names],
    permitted: [...permitted, ...names],
  };
}
