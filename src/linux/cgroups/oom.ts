// How the kernel tells that it has killed a process for lack of memory.
import { O } from "../../../ffi/constants/file.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { Descriptor, exists, openFile, readInto, readText, writeValue } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { type CgroupRecord, controllerPath } from "./cgroup-record.ts";

/** Notices of a container's lack of memory. */
export interface OomWatch extends Disposable {
  /** Becomes ready in poll(2) when `take` has something to tell. */
  readonly fd: number;
  /** What poll(2) is to wait for. */
  readonly event: number;
  /** How often memory has been lacking since it was asked last. Throws SyscallError. */
  take(): number;
}

const POLLIN = 1;
const POLLPRI = 2;

/** Begins to watch; undefined where nobody counts the container's memory. Throws SyscallError. */
export function watchOom(record: CgroupRecord): OomWatch | undefined {
  if (record.kind === "v2") {
    const file = `${record.path}/memory.events`;
    return exists(file) ? new EventsWatch(file) : undefined;
  }
  const path = controllerPath(record, "memory");
  return path === undefined ? undefined : new EventfdWatch(path);
}

/** Version 1 counts up an eventfd. Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control". */
class EventfdWatch implements OomWatch {
  readonly event = POLLIN;
  readonly #counter: Descriptor;
  readonly #control: string;

  constructor(path: string) {
    this.#control = `${path}/cgroup.event_control`;
    this.#counter = new Descriptor(libc.eventfd2(0, O.CLOEXEC | O.NONBLOCK));
    using oom = openFile(`${path}/memory.oom_control`, O.RDONLY);
    writeValue(this.#control, `${this.#counter.fd} ${oom.fd}`);
  }

  get fd(): number {
    return this.#counter.fd;
  }

  take(): number {
    const count = new Uint8Array(8);
    try {
      readInto(this.#counter.fd, count);
    } catch (error) {
      // EAGAIN: nothing was counted.
      if (error instanceof SyscallError) return 0;
      throw error;
    }
    // The removal of the cgroup is counted, too.
    return exists(this.#control) ? Number(new DataView(count.buffer).getBigUint64(0, true)) : 0;
  }

  [Symbol.dispose](): void {
    this.#counter.close();
  }
}

/** Version 2 has a file, which tells poll(2) that it has changed. cgroup-v2.rst, "memory.events". */
class EventsWatch implements OomWatch {
  readonly event = POLLPRI;
  readonly #file: string;
  #events: Descriptor;
  #count: number;

  constructor(file: string) {
    this.#file = file;
    this.#events = openFile(file, O.RDONLY);
    this.#count = countKills(readText(this.#events.fd));
  }

  get fd(): number {
    return this.#events.fd;
  }

  take(): number {
    if (!exists(this.#file)) return 0;
    // Opened anew: the kernel tells of changes since the file was read through the same descriptor.
    this.#events.close();
    this.#events = openFile(this.#file, O.RDONLY);
    const before = this.#count;
    this.#count = countKills(readText(this.#events.fd));
    return Math.max(0, this.#count - before);
  }

  [Symbol.dispose](): void {
    this.#events.close();
  }
}

/** The count of a memory.events file: how many processes were killed. */
export function countKills(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
