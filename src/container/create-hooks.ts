// Hooks at `create`. Loaded only when config.json has some.
import { Descriptor, writeFile } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { runHook, spawnHook } from "../linux/hooks/apply.ts";
import { hasCreateHooks, laterHooks, type PlannedHooks } from "../linux/hooks/plan.ts";
import type { HookState } from "../linux/hooks/state.ts";
import type { Plan } from "../plan/types.ts";
import { files, ociVersion } from "../state/record.ts";
import type { CompiledFilters } from "./confinement.ts";
import { compileCreateContainer, compileStartContainer } from "./hook-program.ts";
import { openPlace, startJoined } from "./joined-hook.ts";
import { runPoststopHooks } from "./later-hooks.ts";
import type { Logger } from "./options.ts";

/** The part of hooks in making one container. */
export class CreateHooks {
  /** Whether something may have been done that the poststop hooks undo. */
  private begun = false;

  /** @param directory the container's directory */
  constructor(
    private readonly plan: Plan,
    private readonly hooks: PlannedHooks,
    private readonly directory: Descriptor,
    private readonly log: Logger,
  ) {}

  /** What launch runs before the switch of root; undefined when there is nothing to run. */
  get beforeSwitch(): ((init: number, cgroup: CgroupRecord | null) => void) | undefined {
    return hasCreateHooks(this.hooks) ? (init, cgroup) => this.run(init, cgroup) : undefined;
  }

  /**
   * Runs prestart, createRuntime and createContainer hooks, in this order.
   * Throws SpecError, ContainerError, SyscallError for the first that fails.
   */
  private run(init: number, cgroup: CgroupRecord | null): void {
    const { plan, hooks, directory } = this;
    const state = this.runOutside(init);
    if (hooks.createContainer.length === 0) return;
    using pidfd = new Descriptor(libc.pidfd_open(init, 0));
    using place = openPlace(init, pidfd);
    for (const hook of hooks.createContainer) {
      const image = compileCreateContainer(plan, hook, cgroup);
      const inside = { ...state, pid: place.innerPid };
      runHook(hook, inside, (streams) => startJoined(image, place, directory, streams));
    }
  }

  /**
   * Runs the prestart and createRuntime hooks, those of the runtime's own namespaces. Returns the state that they got.
   * Throws SpecError, SyscallError for the first that fails.
   */
  runOutside(init: number): HookState {
    const { plan, hooks } = this;
    this.begun = true;
    const state: HookState = {
      ociVersion,
      id: plan.id,
      status: "creating",
      pid: init,
      bundle: plan.bundle,
      annotations: plan.annotations,
    };
    for (const hook of [...hooks.prestart, ...hooks.createRuntime]) {
      runHook(hook, state, (streams) => spawnHook(hook, plan.bundle, streams));
    }
    return state;
  }

  /**
   * The container is made: keeps what later commands run.
   * @param filters compiles the seccomp filters
   * Returns what state.json is to hold. Throws SyscallError.
   */
  keep(cgroup: CgroupRecord | null, filters: () => CompiledFilters): unknown {
    this.begun = true;
    for (const [index, hook] of this.hooks.startContainer.entries()) {
      const image = compileStartContainer(this.plan, hook, cgroup, filters());
      writeFile({ dirfd: this.directory.fd, path: files.startHook + index }, image, 0o600);
    }
    return laterHooks(this.hooks);
  }

  /** The container could not be made, or not be started, and is gone again. */
  undo(): void {
    if (!this.begun) return;
    const { id, bundle, annotations } = this.plan;
    runPoststopHooks({ ociVersion, id, bundle, annotations, hooks: this.hooks }, this.log);
  }
}
