/** What a hook is told of the container: runtime.md, "State". */
export interface HookState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "created" | "running" | "stopped";
  /** Init, as the hook's own pid namespace numbers it; 0 when there is none any more. */
  readonly pid: number;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The JSON that a hook reads from its standard input. Without a process there is no `pid`. */
export function renderState(state: HookState): string {
  return JSON.stringify(stateDocument(state));
}

/** The same as an object. */
export function stateDocument({ ociVersion, id, status, pid, bundle, annotations }: HookState) {
  return {
    ociVersion,
    id,
    status,
    ...(pid > 0 ? { pid } : {}),
    bundle,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

/**
 * The number that a process has in its own pid namespace: the last of /proc/PID/status, NSpid (Linux 4.1).
 * @param status the file's text
 * @param otherwise where there is no such line
 */
export function innermostPid(status: string, otherwise: number): number {
  const numbers = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/);
  return Number(numbers?.at(-1) || otherwise);
}
