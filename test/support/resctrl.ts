/**
 * A file system that behaves as resctrl does, for machines whose processor has no Intel RDT: classes are made by mkdir with
 * their files in them, a process is in one class, `schemata` takes lines that fit, and info/last_cmd_status says why not.
 * Documentation/filesystems/resctrl.rst. It is served through /dev/fuse by the test process (include/uapi/linux/fuse.h).
 */
import { closeSync, openSync, read, writeSync } from "node:fs";
import { command } from "./command.ts";

const [ENOENT, ESRCH, EEXIST, EINVAL, ENOSPC, ENOSYS, EPERM] = [2, 3, 17, 22, 28, 38, 1];

interface Group {
  schemata: Map<string, string>;
  tasks: Set<number>;
  monitors: Map<string, Set<number>>;
}

/** The kernel limits classes to what the processor has. */
const mostClasses = 3;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** What the files mean. Errors are numbers. */
class Tree {
  readonly classes = new Map<string, Group>();
  readonly root: Group = { schemata: new Map(), tasks: new Set(), monitors: new Map() };
  status = "ok";

  constructor() {
    for (const [resource, value] of [
      ["L3", "fffff"],
      ["MB", "100"],
    ] as const)
      for (const domain of [0, 1]) this.root.schemata.set(`${resource}:${domain}`, value);
  }

  group(path: string): Group | undefined {
    return path === "" ? this.root : this.classes.get(path);
  }

  /** The group and the rest of a path: "gold", "mon_groups/x/tasks". */
  split(path: string): { group: Group | undefined; rest: string } {
    const [first = "", ...rest] = path.split("/").filter(Boolean);
    if (this.classes.has(first)) return { group: this.classes.get(first), rest: rest.join("/") };
    return { group: this.root, rest: [first, ...rest].filter(Boolean).join("/") };
  }

  kind(path: string): "directory" | "file" | undefined {
    const { group, rest } = this.split(path);
    if (rest === "" || rest === "mon_groups" || (path === "/info" && rest === "info")) return "directory";
    if (rest === "schemata" || rest === "tasks" || path === "/info/last_cmd_status") return "file";
    const [, name = "", file = ""] = /^mon_groups\/([^/]+)\/?(.*)$/.exec(rest) ?? [];
    if (!group?.monitors.has(name)) return undefined;
    return file === "" ? "directory" : file === "tasks" ? "file" : undefined;
  }

  read(path: string): string {
    const { group, rest } = this.split(path);
    if (path === "/info/last_cmd_status") return `${this.status}\n`;
    if (rest === "schemata") return render(group?.schemata ?? new Map());
    const tasks = rest === "tasks" ? group?.tasks : group?.monitors.get(rest.split("/")[1] ?? "");
    return [...(tasks ?? [])]
      .filter(isAlive)
      .map((pid) => `${pid}\n`)
      .join("");
  }

  write(path: string, text: string): number {
    this.status = "ok";
    const { group, rest } = this.split(path);
    if (!group) return ENOENT;
    if (rest === "schemata") return this.setSchemata(group, text);
    const pid = Number(text);
    if (!Number.isInteger(pid) || !isAlive(pid)) return ESRCH;
    const monitor = group.monitors.get(rest.split("/")[1] ?? "");
    if (monitor) {
      if (!group.tasks.has(pid)) {
        this.status = "Can't move task to different control group";
        return EINVAL;
      }
      monitor.add(pid);
      return 0;
    }
    for (const each of [this.root, ...this.classes.values()]) {
      each.tasks.delete(pid);
      for (const tasks of each.monitors.values()) tasks.delete(pid);
    }
    group.tasks.add(pid);
    return 0;
  }

  setSchemata(group: Group, text: string): number {
    const fail = (status: string): number => {
      this.status = status;
      return EINVAL;
    };
    if (!text.endsWith("\n")) return EINVAL;
    const staged = new Map<string, string>();
    for (const line of text.trimEnd().split("\n")) {
      const [resource = "", domains = ""] = line.split(":");
      for (const domain of domains.split(";")) {
        const [id = "", value = ""] = domain.split("=");
        const name = `${resource.trim()}:${id}`;
        if (!group.schemata.has(name)) return fail(`Unknown or unsupported resource name '${resource}'`);
        if (staged.has(name)) return fail(`Duplicate domain ${id}`);
        if (resource !== "MB" && !/^0*(1*0*)$/.test(Number.parseInt(value, 16).toString(2)))
          return fail(`The mask ${value} has non-consecutive 1-bits`);
        staged.set(name, value);
      }
    }
    for (const [name, value] of staged) group.schemata.set(name, value);
    return 0;
  }

  mkdir(path: string): number {
    this.status = "ok";
    if (this.kind(path)) return EEXIST;
    const { group, rest } = this.split(path);
    const [, monitor] = /^mon_groups\/([^/]+)$/.exec(rest) ?? [];
    if (monitor !== undefined) group?.monitors.set(monitor, new Set());
    else if (/^\/[^/]+$/.test(path)) {
      if (this.classes.size >= mostClasses) {
        this.status = "Out of CLOSIDs";
        return ENOSPC;
      }
      const schemata = new Map(this.root.schemata);
      this.classes.set(path.slice(1), { schemata, tasks: new Set(), monitors: new Map() });
    } else return EPERM;
    return 0;
  }

  rmdir(path: string): number {
    const { group, rest } = this.split(path);
    const [, monitor] = /^mon_groups\/([^/]+)$/.exec(rest) ?? [];
    if (monitor !== undefined) return group?.monitors.delete(monitor) ? 0 : ENOENT;
    const found = this.classes.get(path.slice(1));
    if (!found) return this.kind(path) ? EPERM : ENOENT;
    for (const pid of found.tasks) this.root.tasks.add(pid);
    this.classes.delete(path.slice(1));
    return 0;
  }
}

function render(schemata: ReadonlyMap<string, string>): string {
  const lines = new Map<string, string[]>();
  for (const [name, value] of schemata) {
    const [resource = "", id] = name.split(":");
    lines.set(resource, [...(lines.get(resource) ?? []), `${id}=${value.padStart(5)}`]);
  }
  return [...lines].map(([resource, domains]) => `${resource.padStart(6)}:${domains.join(";")}\n`).join("");
}

/** Numbers of include/uapi/linux/fuse.h. */
const OP = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  MKDIR: 9,
  RMDIR: 11,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  RELEASE: 18,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
} as const;

const silent: readonly number[] = [OP.FORGET, OP.BATCH_FORGET, OP.INTERRUPT];

interface Request {
  readonly opcode: number;
  readonly path: string;
  readonly body: Buffer;
}

/** The file system, mounted; everything else is `Tree`. */
export class FakeResctrl {
  readonly tree = new Tree();
  readonly #fd = openSync("/dev/fuse", "r+");
  readonly #paths = new Map<bigint, string>([[1n, "/"]]);
  readonly #buffer = Buffer.alloc(1 << 18);

  /**
   * Mounts it.
   * @param enter what to put before a command so that it runs in the mount namespace
   */
  static async mount(directory: string, enter: readonly string[]): Promise<FakeResctrl> {
    const served = new FakeResctrl();
    const options = "fd=0,rootmode=40755,user_id=0,group_id=0,allow_other";
    // The kernel asks for nothing before somebody looks.
    const mount = Bun.spawn([...enter, "mount", "-i", "-t", "fuse", "-o", options, "resctrl", directory], {
      stdin: served.#fd,
      stdout: "ignore",
      stderr: "pipe",
    });
    if ((await mount.exited) !== 0) throw new Error(`mount: ${await new Response(mount.stderr).text()}`);
    served.#serve();
    await command([...enter, "stat", directory]);
    return served;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #serve(): void {
    read(this.#fd, this.#buffer, 0, this.#buffer.length, null, (error, length) => {
      // The file system was unmounted, or closed.
      if (error && error.code !== "EINTR" && error.code !== "ENOENT") return;
      if (!error) this.#handle(this.#buffer.subarray(0, length));
      this.#serve();
    });
  }

  #handle(message: Buffer): void {
    const opcode = message.readUInt32LE(4);
    if (silent.includes(opcode)) return;
    const path = this.#paths.get(message.readBigUInt64LE(16)) ?? "/";
    const answer = this.#answer({ opcode, path, body: message.subarray(40) });
    const data = typeof answer === "number" ? Buffer.alloc(0) : answer;
    const head = Buffer.alloc(16);
    head.writeUInt32LE(16 + data.length, 0);
    head.writeInt32LE(typeof answer === "number" ? -answer : 0, 4);
    message.copy(head, 8, 8, 16);
    writeSync(this.#fd, Buffer.concat([head, data]));
  }

  /** The answer's data, or an error number; 0 for success without data. */
  #answer({ opcode, path, body }: Request): Buffer | number {
    const below = (name: Buffer) => `${path === "/" ? "" : path}/${textOf(name)}`;
    switch (opcode) {
      case OP.INIT:
        return numbers(64, [7, 31, 4096, 0, 0, 65536]);
      case OP.LOOKUP:
        return this.#entry(below(body));
      case OP.MKDIR: {
        const made = below(body.subarray(8));
        return this.tree.mkdir(made) || this.#entry(made);
      }
      case OP.RMDIR:
        return this.tree.rmdir(below(body));
      case OP.GETATTR:
      case OP.SETATTR:
        return this.tree.kind(path) ? Buffer.concat([Buffer.alloc(16), this.#attributes(path)]) : ENOENT;
      case OP.OPEN:
      case OP.OPENDIR:
        // FOPEN_DIRECT_IO: sizes are not known before a file is read.
        return numbers(16, [0, 0, 1]);
      case OP.READ: {
        const [offset, size] = [Number(body.readBigUInt64LE(8)), body.readUInt32LE(16)];
        return Buffer.from(this.tree.read(path)).subarray(offset, offset + size);
      }
      case OP.WRITE: {
        const size = body.readUInt32LE(16);
        return this.tree.write(path, body.subarray(40, 40 + size).toString()) || numbers(8, [size]);
      }
      case OP.READDIR:
        return Buffer.alloc(0);
      case OP.FLUSH:
      case OP.RELEASE:
      case OP.RELEASEDIR:
      case OP.DESTROY:
        return 0;
      default:
        return ENOSYS;
    }
  }

  /** struct fuse_entry_out, with nothing to be cached. */
  #entry(path: string): Buffer | number {
    if (!this.tree.kind(path)) return ENOENT;
    const head = Buffer.alloc(40);
    head.writeBigUInt64LE(this.#number(path), 0);
    return Buffer.concat([head, this.#attributes(path)]);
  }

  #number(path: string): bigint {
    for (const [number, known] of this.#paths) if (known === path) return number;
    const number = BigInt(this.#paths.size + 1);
    this.#paths.set(number, path);
    return number;
  }

  /** struct fuse_attr. */
  #attributes(path: string): Buffer {
    const attributes = Buffer.alloc(88);
    attributes.writeBigUInt64LE(this.#number(path), 0);
    attributes.writeUInt32LE(this.tree.kind(path) === "directory" ? 0o040755 : 0o100644, 60);
    attributes.writeUInt32LE(1, 64);
    return attributes;
  }
}

const textOf = (name: Buffer): string => name.subarray(0, name.indexOf(0)).toString();

function numbers(size: number, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(size);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}
