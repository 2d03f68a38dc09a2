import { S } from "../../../ffi/constants/file.ts";
import { SpecError } from "../../spec/error.ts";
import type { Device } from "../../spec/types.ts";
import { listOf } from "../list-of.ts";

/** A device node of the container. */
export interface PlannedDevice {
  readonly origin: string;
  readonly path: string;
  /** File type and permission bits, as mknod(2) takes them. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid: number;
  readonly gid: number;
}

export interface PlannedLink {
  readonly origin: string;
  readonly path: string;
  readonly target: string;
}

export interface PlannedDevices {
  /** "create" makes nodes; "bind" binds the caller's, since a user namespace may not make any. */
  readonly way: "create" | "bind";
  readonly nodes: readonly PlannedDevice[];
  readonly links: readonly PlannedLink[];
}

const everybody = 0o666;

/** What every container has: runtime-spec 1.3, config-linux.md "Default Devices". */
const defaultNodes: readonly [name: string, major: number, minor: number][] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
];

/** runtime-spec 1.3, runtime-linux.md "Dev symbolic links"; ptmx belongs to the container's own devpts. */
const defaultLinks: readonly PlannedLink[] = [
  link("/dev/fd", "/proc/self/fd"),
  link("/dev/stdin", "/proc/self/fd/0"),
  link("/dev/stdout", "/proc/self/fd/1"),
  link("/dev/stderr", "/proc/self/fd/2"),
  link("/dev/ptmx", "pts/ptmx"),
];

const coreLink = link("/dev/core", "/proc/kcore");

function link(path: string, target: string): PlannedLink {
  return { origin: path, path, target };
}

/** File type of each device type; u is an unbuffered character device, which Linux does not tell from c. */
const types: Readonly<Record<Device["type"], number>> = {
  c: S.IFCHR,
  u: S.IFCHR,
  b: S.IFBLK,
  p: S.IFIFO,
};

export interface DeviceContext {
  readonly userNamespace: boolean;
  /** The caller's own /dev is bound whole: what is in it is the caller's business. */
  readonly devBound: boolean;
  /** The kernel offers its memory as /proc/kcore. */
  readonly kcore: boolean;
}

/** The default nodes, then config.json's; one of the same path replaces the default. */
export function planDevices(devices: readonly Device[], context: DeviceContext): PlannedDevices {
  const nodes = new Map<string, PlannedDevice>();
  if (!context.devBound) {
    for (const [name, major, minor] of defaultNodes) {
      const path = `/dev/${name}`;
      nodes.set(path, { origin: path, path, mode: S.IFCHR | everybody, major, minor, uid: 0, gid: 0 });
    }
  }
  for (let index = 0; index < devices.length; index++) {
    const planned = planDevice(devices[index] as Device, `linux.devices[${index}]`);
    nodes.set(planned.path, planned);
  }
  return Object.freeze({
    way: context.userNamespace ? "bind" : "create",
    nodes: listOf(nodes.values()),
    links: context.devBound ? [] : context.kcore ? [...defaultLinks, coreLink] : defaultLinks,
  });
}

function planDevice(device: Device, origin: string): PlannedDevice {
  if (!device.path.startsWith("/")) {
    throw new SpecError(`${origin}.path`, `is "${device.path}": it must be an absolute path`);
  }
  return {
    origin: `${origin} (${device.path})`,
    path: device.path,
    mode: types[device.type] | ((device.fileMode ?? everybody) & 0o7777),
    major: device.major ?? 0,
    minor: device.minor ?? 0,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
  };
}
