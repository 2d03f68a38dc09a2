import { words } from "./words.ts";

/** Size of struct mount_attr, the last argument of mount_setattr, and where its descriptor of a user namespace is. */
export const MOUNT_ATTR_SIZE = 32;
export const MOUNT_ATTR_USERNS = 24;

/** What mount_setattr(2) changes. */
export interface MountAttributes {
  /** MOUNT_ATTR flags to set. */
  readonly set?: number;
  /** MOUNT_ATTR flags to clear. */
  readonly clear?: number;
  /** One of MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE. */
  readonly propagation?: number;
  /** For MOUNT_ATTR_IDMAP. One known only later is stored at MOUNT_ATTR_USERNS, 8 bytes wide. */
  readonly usernsFd?: number;
}

/** struct mount_attr, include/uapi/linux/mount.h. Linux 5.12. */
export function mountAttr(attributes: MountAttributes): Uint8Array {
  const { set = 0, clear = 0, propagation = 0, usernsFd = 0 } = attributes;
  return words(set, clear, propagation, usernsFd);
}
