import { SpecError } from "../../spec/error.ts";

/** SELinux contexts, `user:role:type:level`; "" where none is set. */
export interface PlannedSelinux {
  /** Of the process, from its execution on, and of its keyring. */
  readonly process: string;
  /** Of everything in the container's new file systems. */
  readonly mount: string;
}

/** Whether SELinux labels anything on this machine. */
export interface SelinuxContext {
  readonly enabled: boolean;
}

/**
 * The labels that are set. Where SELinux is not enabled nothing has a label, so there is none to set: a caller that
 * remembers labels from when it was enabled gets its container, and a warning.
 * @throws SpecError for a label that no kernel could take
 */
export function planSelinux(
  process: string,
  mount: string,
  { enabled }: SelinuxContext,
): { selinux: PlannedSelinux; warnings: readonly string[] } {
  // It would end the quotes that mount(2) wants around a label.
  if (mount.includes('"')) {
    throw new SpecError("linux.mountLabel", `is ${JSON.stringify(mount)}: a label has no quotes in it`);
  }
  if (enabled) return { selinux: { process, mount }, warnings: [] };
  const asked = [...(process ? ["process.selinuxLabel"] : []), ...(mount ? ["linux.mountLabel"] : [])];
  return {
    selinux: { process: "", mount: "" },
    warnings: asked.map(
      (path) =>
        `${path} has no effect: SELinux is not enabled here (no selinuxfs that can be written, or no policy)`,
    ),
  };
}
