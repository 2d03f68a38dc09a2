import type { Hook, Hooks } from "../../spec/hooks.ts";

/** One hook, decided: plain data, so that the state can keep it for a later command. */
export interface PlannedHook {
  /** JSON path, "hooks.prestart[0]". */
  readonly origin: string;
  /** Absolute; in the container for startContainer, otherwise where bunc runs. */
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: readonly string[];
  /** Seconds; null waits for as long as it takes. */
  readonly timeout: number | null;
}

/** In the order in which they are run. */
export const hookNames = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;

export type HookName = (typeof hookNames)[number];

export type PlannedHooks = Readonly<Record<HookName, readonly PlannedHook[]>>;

export interface HookContext {
  /** Environment of the container's process. */
  readonly processEnv: readonly string[];
}

/**
 * The hooks of config.json, each in its order; null when there are none. A hook without `env` has an empty environment,
 * and one inside the finished container, startContainer, that of the container's process, as in runc.
 */
export function planHooks(hooks: Hooks | undefined, { processEnv }: HookContext): PlannedHooks | null {
  if (!hooks) return null;
  const planned = {
    prestart: planList(hooks.prestart, "prestart", []),
    createRuntime: planList(hooks.createRuntime, "createRuntime", []),
    createContainer: planList(hooks.createContainer, "createContainer", []),
    startContainer: planList(hooks.startContainer, "startContainer", processEnv),
    poststart: planList(hooks.poststart, "poststart", []),
    poststop: planList(hooks.poststop, "poststop", []),
  };
  return Object.values(planned).some((list) => list.length > 0) ? Object.freeze(planned) : null;
}

function planList(hooks: readonly Hook[] | undefined, name: HookName, env: readonly string[]) {
  return (hooks ?? []).map((hook, index): PlannedHook => {
    const args = hook.args ?? [];
    return {
      origin: `hooks.${name}[${index}]`,
      path: hook.path,
      args: args.length > 0 ? args : [hook.path],
      env: hook.env ?? env,
      timeout: hook.timeout ?? null,
    };
  });
}

/** Whether `create` has hooks to run while init waits before the switch of root. */
export function hasCreateHooks(hooks: PlannedHooks | null): hooks is PlannedHooks {
  return (
    hooks !== null && hooks.prestart.length + hooks.createRuntime.length + hooks.createContainer.length > 0
  );
}

/** The hooks of the commands after `create`. */
export type LaterHooks = Pick<PlannedHooks, "startContainer" | "poststart" | "poststop">;

/** What state.json keeps; null when no later command has a hook to run. */
export function laterHooks(hooks: PlannedHooks | null): LaterHooks | null {
  if (hooks === null) return null;
  const { startContainer, poststart, poststop } = hooks;
  return startContainer.length + poststart.length + poststop.length > 0
    ? { startContainer, poststart, poststop }
    : null;
}
