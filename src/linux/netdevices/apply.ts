// Network devices that a container gets. Loaded only when config.json names some.
import { O } from "../../../ffi/constants/file.ts";
import { CLONE } from "../../../ffi/constants/process.ts";
import { type Descriptor, openFile, readLink } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { SpecError } from "../../spec/error.ts";
import type { PlannedNetDevice } from "./plan.ts";
import { type Address, type Link, RouteSocket } from "./route-socket.ts";

/** Devices that a container has got. */
export interface MovedDevices {
  /** Its network namespace: as long as this is open it is there, and the devices can be given back. */
  readonly network: Descriptor;
  readonly devices: readonly MovedDevice[];
}

/** What a device was, and its number in the container. */
interface MovedDevice {
  readonly before: Link;
  readonly addresses: readonly Address[];
  readonly index: number;
}

/**
 * Moves devices into a container: with their global permanent addresses, under their new names, up. Routes and
 * neighbours the kernel drops on the way. runtime-spec 1.3, config-linux.md "Network Devices".
 * @param init a process in the container's network namespace
 * Throws SpecError for a device that is not there, a name that is taken, and what the kernel refuses; SyscallError when
 * the namespace cannot be entered. Then all of them are where they were.
 */
export function moveNetDevices(devices: readonly PlannedNetDevice[], init: number): MovedDevices {
  const network = openFile(`/proc/${init}/ns/net`, O.RDONLY);
  const moved: MovedDevice[] = [];
  try {
    using ends = enter(network);
    try {
      for (const device of devices) moveIn(device, ends, moved);
    } catch (error) {
      giveBack(moved, ends);
      throw error;
    }
  } catch (error) {
    network.close();
    throw error;
  }
  return { network, devices: moved };
}

/** Gives moved devices back as they were: the container could not be made. Throws SyscallError. */
export function returnNetDevices({ network, devices }: MovedDevices): void {
  using theirs = network;
  using ends = openEnds(theirs);
  giveBack(devices, ends);
}

/** One side of a move. */
interface End {
  readonly namespace: Descriptor;
  readonly socket: RouteSocket;
}

interface Ends extends Disposable {
  readonly here: End;
  readonly there: End;
}

function enter(network: Descriptor): Ends {
  try {
    return openEnds(network);
  } catch (cause) {
    throw new SpecError("linux.netDevices", "needs the caller to enter the container's network namespace", {
      cause,
    });
  }
}

/** @param theirs stays the caller's */
function openEnds(theirs: Descriptor): Ends {
  using open = new DisposableStack();
  const own = open.use(openFile("/proc/thread-self/ns/net", O.RDONLY));
  const here = { namespace: own, socket: open.use(new RouteSocket()) };
  const there = { namespace: theirs, socket: open.use(socketIn(theirs.fd, own.fd)) };
  const all = open.move();
  return { here, there, [Symbol.dispose]: () => all.dispose() };
}

/** Opens a socket in another network namespace. Only this thread goes there, and comes back. setns(2). */
function socketIn(namespace: number, own: number): RouteSocket {
  libc.setns(namespace, CLONE.NEWNET);
  try {
    return new RouteSocket();
  } finally {
    libc.setns(own, CLONE.NEWNET);
  }
}

function moveIn({ origin, from, to }: PlannedNetDevice, { here, there }: Ends, moved: MovedDevice[]): void {
  const [ours, theirs] = [here, there].map(({ namespace }) => readLink(`/proc/self/fd/${namespace.fd}`));
  if (ours === theirs)
    throw new SpecError(
      origin,
      "is where it belongs: the container's network namespace is the one that bunc runs in",
    );
  const before = here.socket.findLink(from);
  if (!before) throw new SpecError(origin, `names "${from}", and there is no such network device here`);
  if (!to.includes("%") && there.socket.findLink(to))
    throw new SpecError(
      origin,
      `needs the name "${to}", which is taken in the container's network namespace`,
    );
  try {
    const addresses = here.socket.addresses(before.index);
    const index = transfer(before, here, there, to);
    moved.push({ before, addresses, index });
    for (const address of addresses) there.socket.addAddress(index, address, to);
    there.socket.bringUp(index, to);
  } catch (cause) {
    throw new SpecError(origin, "could not be moved into the container", { cause });
  }
}

function giveBack(moved: readonly MovedDevice[], { here, there }: Ends): void {
  for (const { before, addresses, index } of [...moved].reverse()) {
    const now = there.socket.links().find((link) => link.index === index);
    if (!now) continue;
    const back = transfer(now, there, here, before.name);
    for (const address of addresses) here.socket.addAddress(back, address, before.name);
    if (before.up) here.socket.bringUp(back, before.name);
  }
}

/** Moves one device. Returns its number there: its own, unless that belongs to another device. */
function transfer(link: Link, from: End, to: End, name: string): number {
  const taken = to.socket.links().map(({ index }) => index);
  const index = taken.includes(link.index) ? Math.max(...taken) + 1 : 0;
  from.socket.moveLink(link, to.namespace.fd, name, index);
  return index || link.index;
}
