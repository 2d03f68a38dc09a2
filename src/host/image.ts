// What an image tells of the container that is made of it. Its links lead nowhere but into itself.
import { AT, O, RESOLVE, S } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { Descriptor, readInto, readLink, stat } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import { decodeText } from "../../ffi/memory.ts";
import { OPEN_HOW_SIZE, openHow } from "../../ffi/structs/open-how.ts";
import { hasVariable } from "../spec/environment.ts";
import { readOr } from "./read.ts";

/** Whether apt is there, which root emulation has a setting for. */
export function hasApt(bundle: string, root: string): boolean {
  using directory = openRoot(bundle, root);
  using apt = openInRoot(directory, "/etc/apt", O.PATH | O.DIRECTORY);
  return apt !== undefined;
}

/** Whether HOME must be looked up. */
export function needsHome(env: readonly string[] | undefined): boolean {
  return env !== undefined && !hasVariable(env, "HOME");
}

interface MountEntry {
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

/** The passwd file that the container will see: one bound over it, or the image's. */
export function readPasswd(bundle: string, root: string, mounts: readonly MountEntry[]): string {
  let bound: string | undefined;
  for (const { destination, source } of mounts) if (destination === "/etc/passwd" && source) bound = source;
  if (bound) return readOr(seenFrom(bundle, bound), "");
  using directory = openRoot(bundle, root);
  using file = openInRoot(directory, "/etc/passwd", O.RDONLY | O.NONBLOCK | O.NOCTTY);
  return file && (stat(file.fd).mode & S.IFMT) === S.IFREG ? readLimited(file.fd) : "";
}

/** Larger than any passwd(5) that people keep; what an image offers may be endless. */
const passwdLimit = 1 << 20;

/** What most of them fit into: the limit itself is memory that the kernel would have to make, and clear. */
const usualPasswd = 4096;

function readLimited(fd: number): string {
  const bytes = new Uint8Array(usualPasswd);
  const count = readInto(fd, bytes);
  if (count < usualPasswd) return decodeText(bytes, count);
  const all = new Uint8Array(passwdLimit);
  all.set(bytes);
  return decodeText(all, count + readInto(fd, all.subarray(count)));
}

/**
 * Permission bits of the image's directories that a tmpfs without a mode of its own is to be mounted on: it takes them
 * over, as it does in runc and crun.
 */
export function probeDirectoryModes(
  bundle: string,
  root: string,
  mounts: readonly MountEntry[],
): ReadonlyMap<string, number> {
  const modes = new Map<string, number>();
  const wanted: string[] = [];
  for (const { type, options, destination } of mounts)
    if (type === "tmpfs" && !hasMode(options)) wanted.push(destination);
  if (wanted.length === 0) return modes;
  using directory = openRoot(bundle, root);
  for (const destination of wanted) {
    using target = openInRoot(directory, destination, O.PATH | O.DIRECTORY);
    if (target) modes.set(destination, stat(target.fd).mode & 0o7777);
  }
  return modes;
}

function hasMode(options: readonly string[] = []): boolean {
  for (const option of options) if (option.startsWith("mode=") || option.includes(",mode=")) return true;
  return false;
}

const noLinks: ReadonlyMap<string, string> = new Map();

/** Sources with copy-symlink that are symbolic links, and where they lead. */
export function probeLinks(
  bundle: string,
  mounts: readonly MountEntry[] | undefined,
): ReadonlyMap<string, string> {
  let links: Map<string, string> | undefined;
  for (const { source, options } of mounts ?? []) {
    if (source === undefined || !options?.includes("copy-symlink")) continue;
    try {
      links ??= new Map();
      links.set(source, readLink(seenFrom(bundle, source)));
    } catch (error) {
      // It is no link, or it is missing: then the bind mount says so.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  return links ?? noLinks;
}

function seenFrom(bundle: string, path: string): string {
  return path.startsWith("/") ? path : `${bundle}/${path}`;
}

function openRoot(bundle: string, root: string): Descriptor | undefined {
  const flags = O.PATH | O.DIRECTORY | O.CLOEXEC;
  const fd = attempt.openat(AT.FDCWD, seenFrom(bundle, root), flags, 0);
  return fd < 0 ? undefined : new Descriptor(fd);
}

/** undefined when it is missing or may not be opened: then the program finds out, and says why. */
function openInRoot(root: Descriptor | undefined, path: string, flags: number): Descriptor | undefined {
  if (!root) return undefined;
  const how = openHow(flags | O.CLOEXEC, 0, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
  const fd = attempt.openat2(root.fd, path, how, OPEN_HOW_SIZE);
  return fd < 0 ? undefined : new Descriptor(fd);
}
