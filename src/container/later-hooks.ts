// Hooks of the commands after `create`. Loaded only when the container has some.
import { errnoText } from "../../ffi/errno-text.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, readFile } from "../../ffi/file.ts";
import { runHook, spawnHook } from "../linux/hooks/apply.ts";
import type { LaterHooks } from "../linux/hooks/plan.ts";
import type { HookState } from "../linux/hooks/state.ts";
import { files, type StateRecord } from "../state/record.ts";
import { ContainerError } from "./error.ts";
import { openInit } from "./init.ts";
import { openPlace, startJoined } from "./joined-hook.ts";
import type { Logger } from "./options.ts";

/** What of a container its hooks are run with. */
export type HookedContainer = Pick<
  StateRecord,
  "ociVersion" | "id" | "pid" | "processStartTime" | "bundle" | "annotations" | "hooks"
>;

function hooksOf({ hooks }: HookedContainer): LaterHooks {
  return hooks as LaterHooks;
}

function stateOf(container: HookedContainer, status: HookState["status"], pid: number): HookState {
  const { ociVersion, id, bundle, annotations } = container;
  return { ociVersion, id, status, pid, bundle, annotations };
}

/**
 * Runs the startContainer hooks inside the container, while init waits at its gate.
 * @param directory the container's directory, with their programs
 * Throws SpecError, ContainerError, SyscallError for the first that fails.
 */
export function runStartHooks(container: HookedContainer, directory: Descriptor): void {
  const hooks = hooksOf(container).startContainer;
  if (hooks.length === 0) return;
  using pidfd = openInit(container);
  if (!pidfd) throw new ContainerError("init", `the init of container "${container.id}" has ended`);
  using place = openPlace(container.pid, pidfd);
  const state = stateOf(container, "created", place.innerPid);
  for (const [index, hook] of hooks.entries()) {
    const image = readFile({ dirfd: directory.fd, path: files.startHook + index });
    runHook(hook, state, (streams) => startJoined(image, place, directory, streams));
  }
}

/** Runs the poststart hooks. Throws SpecError for the first that fails. */
export function runPoststartHooks(container: HookedContainer): void {
  const state = stateOf(container, "running", container.pid);
  for (const hook of hooksOf(container).poststart) {
    runHook(hook, state, (streams) => spawnHook(hook, container.bundle, streams));
  }
}

/** Runs the poststop hooks, all of them: one that fails is warned of. runtime.md, "Lifecycle", step 13. */
export function runPoststopHooks(
  container: Omit<HookedContainer, "pid" | "processStartTime">,
  log: Logger,
): void {
  const gone = { ...container, pid: 0, processStartTime: 0 };
  const state = stateOf(gone, "stopped", 0);
  for (const hook of hooksOf(gone).poststop) {
    try {
      runHook(hook, state, (streams) => spawnHook(hook, container.bundle, streams));
    } catch (error) {
      log.warn(describe(error));
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof SyscallError ? `${error.message}: ${errnoText(cause.errno)}` : error.message;
}
