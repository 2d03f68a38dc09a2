import { MS } from "../../../ffi/constants/mount.ts";
import type { RootfsPropagation } from "../../spec/types.ts";

/** How the container's root becomes its `/`. */
export type RootSwitch =
  /** pivot_root(2): the old root is gone afterwards. */
  | "pivot"
  /** The root is moved over `/` and chroot(2) follows: for an initramfs, which cannot be pivoted (--no-pivot). */
  | "move"
  /** chroot(2) alone, where the mount namespace is the caller's: nothing of the caller's may be unmounted. */
  | "chroot";

export interface PlannedRootfs {
  /** Absolute path in the caller's view. */
  readonly path: string;
  readonly readonly: boolean;
  readonly switch: RootSwitch;
  /** Propagation of the container's mounts towards and from the caller's while they are made, MS.*, recursive. */
  readonly propagation: number;
  /** Propagation of the new root in the end, MS.*. */
  readonly finalPropagation: number;
  /** The tree is opened by whoever sees it, before the new user namespace is entered. */
  readonly openEarly: boolean;
  /** Whether config.json asked for it: then the new root itself gets it, too. */
  readonly propagationAsked: boolean;
}

const propagations: Readonly<Record<string, number>> = {
  shared: MS.SHARED,
  slave: MS.SLAVE,
  private: MS.PRIVATE,
  unbindable: MS.UNBINDABLE,
};

/**
 * @param path absolute path of the root filesystem
 * @param propagation linux.rootfsPropagation, with or without its leading r; "" and undefined are the default, slave:
 * mounts that the caller makes later are seen, the container's own stay inside
 */
export function planRootfs(
  path: string,
  readonly: boolean,
  propagation: RootfsPropagation | undefined,
  rootSwitch: RootSwitch,
  openEarly: boolean,
): PlannedRootfs {
  const name = propagation?.startsWith("r") ? propagation.slice(1) : (propagation ?? "");
  return Object.freeze({
    path,
    readonly,
    switch: rootSwitch,
    openEarly,
    // What is unbindable cannot be cloned for the container, so it becomes that only in the end.
    propagation: name === "unbindable" ? MS.PRIVATE : (propagations[name] ?? MS.SLAVE),
    finalPropagation: propagations[name] ?? MS.SLAVE,
    propagationAsked: name !== "",
  });
}
