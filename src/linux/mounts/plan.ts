import { MOUNT_ATTR, MS } from "../../../ffi/constants/mount.ts";
import { SpecError } from "../../spec/error.ts";
import { cleanPath } from "../../spec/path.ts";
import type { Mount } from "../../spec/types.ts";
import type { CgroupView } from "../cgroup-view.ts";
import { type ContainerIds, type MountIdmap, planMountIdmap } from "./idmap.ts";
import { refuseMountInProc } from "./inside-proc.ts";
import { contextOption, withoutQuotes } from "./label.ts";
import { type ReadOptions, readOptions } from "./read-options.ts";

export interface Attributes {
  readonly set: number;
  readonly clear: number;
}

/** One parameter of fsconfig(2); null for a flag without a value. */
export interface Parameter {
  readonly key: string;
  readonly value: string | null;
}

export type PlannedSource =
  | {
      readonly kind: "bind";
      readonly path: string;
      readonly recursive: boolean;
      /** A source that is a symbolic link is mounted itself. */
      readonly nofollow: boolean;
    }
  /** Made in the container: what the source of a bind mount is. */
  | { readonly kind: "symlink"; readonly text: string }
  | {
      readonly kind: "filesystem";
      readonly type: string;
      readonly source: string;
      readonly parameters: readonly Parameter[];
      /** SELinux label that its root directory gets afterwards; "" for none. */
      readonly rootLabel: string;
      readonly fallback: Fallback;
      /** It begins with what is in the directory that it is mounted on. */
      readonly copyUp: boolean;
    }
  /** mount(2), for what fsconfig(2) cannot say: values of 256 bytes and more, and flags that it does not know. */
  | {
      readonly kind: "legacy";
      readonly type: string;
      readonly source: string;
      readonly flags: number;
      readonly data: string;
      readonly rootLabel: string;
      readonly copyUp: boolean;
    }
  | {
      readonly kind: "cgroup";
      readonly view: CgroupView;
      readonly namespaced: boolean;
      /** SELinux label of the directory of hierarchies; "" for none. */
      readonly label: string;
      readonly readonly: boolean;
    }
  /** Changes what is mounted there already: its attributes, and options of its file system. */
  | { readonly kind: "remount"; readonly parameters: readonly Parameter[] };

/** What to bind instead when the kernel does not permit a new file system of the kind; "" when nothing is safe. */
export interface Fallback {
  readonly path: string;
  readonly attributes: number;
}

export interface PlannedMount {
  /** JSON path of the entry: `mounts[3]`. */
  readonly origin: string;
  /** Where, as the container sees it; absolute, without `.`, `..` or double slashes. */
  readonly target: string;
  /** A target that is a symbolic link is covered itself. */
  readonly targetNofollow: boolean;
  readonly source: PlannedSource;
  readonly attributes: Attributes;
  readonly recursiveAttributes: Attributes;
  /** Propagation types in the order given; each one MS.* flag. */
  readonly propagation: readonly { readonly flag: number; readonly recursive: boolean }[];
  /** The source is opened by whoever sees it, before the new user namespace is entered. */
  readonly openEarly: boolean;
  /** Options that have no effect on such a mount. */
  readonly ignored: readonly string[];
  /** The tree of a mount with maps is opened by the caller, before any process of the container. */
  readonly idmap: MountIdmap;
}

export interface MountContext {
  /** Absolute path of the bundle: relative sources are seen from it. */
  readonly bundle: string;
  /** The container's user namespace is not the initial one. */
  readonly userNamespace: boolean;
  /** The caller may clone mounts itself and the container's root may not see what it sees. */
  readonly openEarly: boolean;
  /** Where sources that are symbolic links lead, for mounts with copy-symlink. */
  readonly links: ReadonlyMap<string, string>;
  readonly ids: ContainerIds;
  /** The caller has CAP_SYS_ADMIN over its own mounts. */
  readonly ownsMounts: boolean;
  /** Permission bits of the directories that a tmpfs without a mode is mounted on, by destination. */
  readonly directoryModes: ReadonlyMap<string, number>;
  /** SELinux label of new file systems, linux.mountLabel; "" for none. */
  readonly label: string;
  /** The IPC namespace, and with it the file system of message queues, is the container's own. */
  readonly ownQueues: boolean;
  readonly pidInherited: boolean;
  readonly cgroupNamespace: boolean;
  readonly cgroupView: CgroupView;
}

/** Kernel file systems without a device: their `ro` belongs to the mount alone. */
const kernelTypes = new Set(["proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "tmpfs", "ramfs"]);
const longestParameter = 255;

/** Resolves config.json's `mounts`. Throws SpecError as planMount does. */
export function planMounts(mounts: readonly Mount[], context: MountContext): PlannedMount[] {
  const planned: PlannedMount[] = [];
  for (let index = 0; index < mounts.length; index++)
    planned.push(planMount(mounts[index] as Mount, index, context));
  return planned;
}

/** Resolves one entry of config.json's `mounts`. Throws SpecError for options that contradict each other. */
export function planMount(mount: Mount, index: number, context: MountContext): PlannedMount {
  const origin = `mounts[${index}]`;
  const read = readOptions(mount.options ?? [], origin);
  const target = cleanPath(mount.destination);
  refuseMountInProc(target, mount, read.bind !== undefined, origin);
  const source = planSource(mount, read, context, origin);
  refuseMisplaced(read, source, mount.type ?? "", origin);
  const idmap = planMountIdmap(mount, read.idmap, context.ids, {
    bind: source.kind === "bind",
    may: context.ownsMounts,
    origin,
  });
  return Object.freeze({
    origin,
    target,
    targetNofollow: read.extensions.has("dest-nofollow"),
    source,
    attributes: read.attributes,
    recursiveAttributes: read.recursiveAttributes,
    propagation: read.propagation,
    openEarly: context.openEarly && source.kind === "bind" && idmap.kind === "none",
    idmap,
    ignored: ignoredOptions(read, source),
  });
}

const nothing: readonly string[] = Object.freeze([]);

/** A bind mount shares its file system with the source, and a mount of cgroups with the machine: it has no options there. */
function ignoredOptions(
  { filesystemFlags, legacyFlags, data }: ReadOptions,
  source: PlannedSource,
): readonly string[] {
  if (source.kind === "filesystem" || source.kind === "legacy") return nothing;
  const all: string[] = [];
  if (source.kind !== "remount")
    for (const flag of filesystemFlags) if (flag in legacyFilesystem) all.push(flag);
  if ((legacyFlags & MS.I_VERSION) !== 0) all.push("iversion");
  if (source.kind !== "remount" || source.parameters.length === 0) all.push(...data);
  return all.length === 0 ? nothing : Object.freeze(all);
}

function planSource(mount: Mount, read: ReadOptions, context: MountContext, origin: string): PlannedSource {
  const type = mount.type ?? "";
  const bind = read.bind !== undefined || type === "bind";
  if (read.remount) return { kind: "remount", parameters: bind ? [] : parametersOf(read) };
  if (bind) return planBind(mount, read, context, origin);
  // Propagation alone changes a mount that is there, as with mount(8).
  const untyped = type === "" || type === "none";
  if (untyped && read.propagation.length > 0) return { kind: "remount", parameters: [] };
  if (type === "cgroup" || type === "cgroup2") {
    return {
      kind: "cgroup",
      view: context.cgroupView,
      namespaced: context.cgroupNamespace,
      label: context.label,
      // Without a cgroup namespace of its own, a container with a mapped root could write in the host's hierarchy
      // (CVE-2023-25809).
      readonly:
        (read.attributes.set & MOUNT_ATTR.RDONLY) !== 0 ||
        (context.userNamespace && !context.cgroupNamespace),
    };
  }
  if (untyped) {
    throw new SpecError(
      `${origin}.type`,
      'is missing: it must be a file system, or options must hold "bind" or "rbind"',
    );
  }
  return planFilesystem(type, mount, read, context);
}

function planBind(
  { source }: Mount,
  read: ReadOptions,
  { bundle, links }: MountContext,
  origin: string,
): PlannedSource {
  if (!source) throw new SpecError(`${origin}.source`, "is missing: it must be the path to bind");
  const text = read.extensions.has("copy-symlink") ? links.get(source) : undefined;
  if (text !== undefined) return { kind: "symlink", text };
  return {
    kind: "bind",
    path: source.startsWith("/") ? source : `${bundle}/${source}`,
    recursive: read.bind?.recursive ?? true,
    nofollow: read.extensions.has("src-nofollow"),
  };
}

/** Extensions of a kind of mount that this is not. */
function refuseMisplaced(read: ReadOptions, source: PlannedSource, type: string, origin: string): void {
  for (const [name, index] of read.extensions) {
    const path = `${origin}.options[${index}]`;
    if (name === "tmpcopyup") {
      if (type !== "tmpfs" || (source.kind !== "filesystem" && source.kind !== "legacy"))
        throw new SpecError(path, "is tmpcopyup, which fills a new tmpfs and nothing else");
    } else if (source.kind !== "bind" && source.kind !== "symlink") {
      throw new SpecError(path, `is ${name}, which is for bind mounts only`);
    }
  }
}

/** What fsconfig(2) is told, flags first. */
function parametersOf({ filesystemFlags, data }: ReadOptions, ...further: string[]): readonly Parameter[] {
  const parameters: Parameter[] = [];
  for (const key of [...filesystemFlags, ...further]) parameters.push({ key, value: null });
  for (const option of data) parameters.push(splitParameter(option));
  return parameters;
}

function planFilesystem(type: string, mount: Mount, read: ReadOptions, context: MountContext): PlannedSource {
  const source = mount.source ?? type;
  const rootLabel = type === "mqueue" && context.ownQueues ? context.label : "";
  const copyUp = read.extensions.has("tmpcopyup");
  read.data.push(...contextOption(type, read.data, context.label));
  const readonly = (read.attributes.set & MOUNT_ATTR.RDONLY) !== 0 && !kernelTypes.has(type);
  let tooLong = source.length > longestParameter;
  for (const option of read.data) tooLong ||= option.length > longestParameter;
  if (read.legacyFlags !== 0 || tooLong) {
    return {
      kind: "legacy",
      type,
      source,
      flags: read.legacyFlags | (readonly ? MS.RDONLY : 0) | legacyFilesystemFlags(read.filesystemFlags),
      data: read.data.join(","),
      copyUp,
      rootLabel,
    };
  }
  const mode = context.directoryModes.get(mount.destination);
  if (type === "tmpfs" && mode !== undefined) read.data.push(`mode=${mode.toString(8)}`);
  return {
    kind: "filesystem",
    type,
    source,
    parameters: parametersOf(read, ...(readonly ? ["ro"] : [])),
    copyUp,
    rootLabel,
    fallback: planFallback(type, context),
  };
}

const legacyFilesystem: Readonly<Record<string, number>> = {
  sync: MS.SYNCHRONOUS,
  dirsync: MS.DIRSYNC,
  lazytime: MS.LAZYTIME,
  mand: MS.MANDLOCK,
};

function legacyFilesystemFlags(names: readonly string[]): number {
  return names.reduce((flags, name) => flags | (legacyFilesystem[name] ?? 0), 0);
}

function splitParameter(option: string): Parameter {
  const equals = option.indexOf("=");
  if (equals < 0) return { key: option, value: null };
  const key = option.slice(0, equals);
  return { key, value: withoutQuotes(key, option.slice(equals + 1)) };
}

const none: Fallback = Object.freeze({ path: "", attributes: 0 });

/**
 * In a user namespace the kernel refuses a new proc or sysfs when the caller's own is partly hidden, and a sysfs of a
 * network namespace that belongs to somebody else. What the caller sees already may be bound instead: a proc only if it
 * shows the container's own processes.
 */
function planFallback(type: string, context: MountContext): Fallback {
  switch (type) {
    case "proc":
      return context.pidInherited ? { path: "/proc", attributes: 0 } : none;
    case "sysfs":
      return { path: "/sys", attributes: MOUNT_ATTR.RDONLY };
    case "mqueue":
      return { path: "/dev/mqueue", attributes: 0 };
    default:
      return none;
  }
}
