/** runtime-spec, config-linux.md, "Seccomp". */
import { SpecError, wrong } from "../spec/error.ts";
import type { Config, SeccompAction } from "../spec/types.ts";

/** seccomp(2): the action's 16 bits of data are an error number, which the kernel caps at MAX_ERRNO, or a message. */
const MOST_DATA: { readonly [action in SeccompAction]?: number } = {
  SCMP_ACT_ERRNO: 4095,
  SCMP_ACT_TRACE: 65535,
};

export function seccompErrnoFits(config: Config): void {
  const seccomp = config.linux?.seccomp;
  if (seccomp === undefined) return;
  checkErrno(seccomp.defaultErrnoRet, seccomp.defaultAction, "linux.seccomp.defaultErrnoRet");
  for (const [index, { action, errnoRet }] of (seccomp.syscalls ?? []).entries()) {
    checkErrno(errnoRet, action, `linux.seccomp.syscalls[${index}].errnoRet`);
  }
}

export function seccompRulesHaveNames(config: Config): void {
  for (const [index, { names }] of (config.linux?.seccomp?.syscalls ?? []).entries()) {
    if (names.length === 0) {
      throw wrong(`linux.seccomp.syscalls[${index}].names`, names, "a list of at least one system call");
    }
  }
}

export function seccompListenerIsWhole(config: Config): void {
  const seccomp = config.linux?.seccomp;
  if (seccomp === undefined || seccomp.listenerPath) return;
  const path = "linux.seccomp.listenerPath";
  if (seccomp.listenerMetadata) throw new SpecError(path, "is needed with listenerMetadata");
  let notifies = seccomp.defaultAction === "SCMP_ACT_NOTIFY";
  for (const { action } of seccomp.syscalls ?? []) notifies ||= action === "SCMP_ACT_NOTIFY";
  if (notifies) throw new SpecError(path, "is needed with the action SCMP_ACT_NOTIFY");
}

/**
 * Whoever loads the filter tells by write(2) that the listener is there; answered by an agent it would wait for ever. runc
 * refuses the same, and the default action whatever it is about.
 */
export function seccompLeavesWrite(config: Config): void {
  const seccomp = config.linux?.seccomp;
  if (seccomp === undefined) return;
  const reason = "SCMP_ACT_NOTIFY for write, the call by which the agent's descriptor comes to it";
  let allowed = false;
  for (const [index, { action, names, args }] of (seccomp.syscalls ?? []).entries()) {
    if (!names.includes("write")) continue;
    if (action === "SCMP_ACT_NOTIFY") {
      throw new SpecError(`linux.seccomp.syscalls[${index}]`, `asks for ${reason}: leave it out`);
    }
    allowed ||= (args ?? []).length === 0;
  }
  if (seccomp.defaultAction === "SCMP_ACT_NOTIFY" && !allowed) {
    throw new SpecError(
      "linux.seccomp.defaultAction",
      `means ${reason}: add a rule with SCMP_ACT_ALLOW for it`,
    );
  }
}

/** The program of such a hook would need an agent's answers while the agent knows of the container's process only. */
export function startHooksNeedNoAgent(config: Config): void {
  if ((config.hooks?.startContainer ?? []).length === 0) return;
  const { defaultAction, syscalls = [] } = config.linux?.seccomp ?? {};
  if (defaultAction !== "SCMP_ACT_NOTIFY" && !syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY"))
    return;
  throw new SpecError(
    "hooks.startContainer",
    "would run under SCMP_ACT_NOTIFY, where nobody answers it: use a createContainer hook, or another action",
  );
}

function checkErrno(errno: number | undefined, action: SeccompAction, path: string): void {
  if (errno === undefined) return;
  const most = MOST_DATA[action];
  if (most === undefined) {
    throw new SpecError(
      path,
      `does not go with ${action}: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE return a number`,
    );
  }
  if (errno > most) throw wrong(path, errno, `a number from 0 to ${most}`);
}
