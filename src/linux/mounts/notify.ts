import { type MountContext, type PlannedMount, planMount } from "./plan.ts";

/** Where the container sees the directory with the socket. */
export const notifyTarget = "/run/notify";

/** File name of the socket in the directory that the container sees as /run/notify. */
export const notifyName = "notify.sock";

/** The entry of the environment by which the process finds the socket. sd_notify(3). */
export const notifyVariable = `NOTIFY_SOCKET=${notifyTarget}/${notifyName}`;

/**
 * The mount of the directory with the socket; runc has it in the same place. It is read-only: sending needs no more.
 * @param directory absolute path
 */
export function notifyMount(directory: string, context: MountContext): PlannedMount {
  const options = ["bind", "ro", "nosuid", "nodev", "noexec"];
  const mount = planMount({ destination: notifyTarget, source: directory, options }, 0, context);
  return Object.freeze({ ...mount, origin: "NOTIFY_SOCKET" });
}
