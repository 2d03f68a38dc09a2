import { S } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, isType, readLink, readText, stat } from "../../ffi/file.ts";
import type { InheritedDescriptor } from "../linux/criu/messages.ts";
import { ContainerError } from "./error.ts";
import type { MountEntry } from "./external-mounts.ts";

/** The file among the images that says where the standard streams led to. runc and crun have it, too. */
export const descriptorsFile = "descriptors.json";

/** Where one of the container's standard streams leads. */
export interface Stream {
  /** criu's name of it: `pipe:[4711]`, `file[1a:2b]`, `tty[3:4]`; or a path, when it is the container's own file. */
  readonly key: string;
  /** criu must be told that it comes from outside. It finds that out of a pipe itself. */
  readonly external: boolean;
}

const hex = (number: number | bigint) => number.toString(16);

/**
 * Where the standard streams of a container's init lead.
 * @param mounts the container's: a file on any other mount comes from outside
 * @param shellJob the terminal is the caller's, which criu handles itself
 * Throws SyscallError.
 */
export function readStreams(pid: number, mounts: readonly MountEntry[], shellJob: boolean): Stream[] {
  return [0, 1, 2].map((fd) => {
    const path = `/proc/${pid}/fd/${fd}`;
    let target: string;
    try {
      target = readLink(path);
    } catch {
      return { key: "", external: false };
    }
    const mount = Number(/^mnt_id:\s*(\d+)/m.exec(readText(`/proc/${pid}/fdinfo/${fd}`))?.[1]);
    if (!target.startsWith("/") || mounts.some(({ id }) => id === mount))
      return { key: target, external: false };
    const status = stat(path);
    if (isType(status, S.IFCHR) && status.rdev.major >= 136 && status.rdev.major <= 143) {
      const device = encodeDevice(status.rdev.major, status.rdev.minor);
      const key = `tty[${hex(device)}:${hex(encodeDevice(status.dev.major, status.dev.minor))}]`;
      return { key, external: !shellJob };
    }
    return { key: `file[${hex(mount)}:${hex(status.ino)}]`, external: true };
  });
}

/** A device number as stat(2) gives it: new_encode_dev() of include/linux/kdev_t.h. */
function encodeDevice(major: number, minor: number): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/** Whether criu takes the stream from a descriptor of its own when it restores. */
function isInherited(key: string): boolean {
  return /^(pipe:|file|tty)\[/.test(key);
}

/**
 * The standard streams that a restored container takes over from who restores it: criu's names, and their numbers.
 * @param images the directory of the images
 * @param path its path, for people
 * Throws ContainerError when there is no checkpoint in it.
 */
export function readInherited(images: Descriptor, path: string): InheritedDescriptor[] {
  let keys: unknown;
  try {
    keys = JSON.parse(readText({ dirfd: images.fd, path: descriptorsFile }));
  } catch (error) {
    const cause = error instanceof SyscallError ? { cause: error } : {};
    throw new ContainerError("restore", `restore: ${path} holds no checkpoint of a container`, cause);
  }
  const list: unknown[] = Array.isArray(keys) ? keys : [];
  return list.flatMap((key, fd) => (typeof key === "string" && isInherited(key) ? [{ key, fd }] : []));
}
