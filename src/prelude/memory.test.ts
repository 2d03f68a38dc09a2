// The prelude reads what others have written: whatever that is, it stays within its memory, and ends.
import { describe, expect, test } from "bun:test";
import type { CallName } from "../../ffi/calls.ts";
import { ERRNO } from "../../ffi/constants/errno.ts";
import { O } from "../../ffi/constants/file.ts";
import { Fault, type Kernel, Machine, recordWithGaps } from "../../test/support/prelude-machine.ts";
import { renderRecord } from "../state/brief.ts";
import type { StateRecord } from "../state/record.ts";
import { recordPrelude } from "./prelude.ts";

const recorded = recordWithGaps(() => recordPrelude(O));

const record: StateRecord = {
  version: 1,
  ociVersion: "1.3.0",
  id: "box",
  pid: 4711,
  processStartTime: 123456,
  bundle: "/bundle",
  rootfs: "/bundle/rootfs",
  created: "2026-01-02T03:04:05.000000006Z",
  owner: "root",
  annotations: { some: "text" },
  executable: "sleep",
  cgroup: null,
  intelRdt: null,
  keyring: "",
  rootEmulation: { kind: "none" },
  notify: false,
  listener: null,
  hooks: null,
};
const whole = renderRecord(record, { freezer: "/freezer", directories: ["/cgroup/one", "/cgroup/two"] });

/** Numbers that are the same in every run. */
function chance(seed: number) {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * limit);
  };
  const pick = <T>(values: readonly T[]) => values[below(values.length)] as T;
  return { below, pick };
}
type Chance = ReturnType<typeof chance>;

const entries = [".", "..", "state.json", "box", "start", "x".repeat(255)];

/** struct linux_dirent64 { u64 ino; s64 off; u16 length; u8 type; char name[]; } */
function putEntry(bytes: Uint8Array, name: string, type: number): number {
  const length = (19 + name.length + 1 + 7) & ~7;
  if (length > bytes.length) return 0;
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(16, length, true);
  bytes[18] = type;
  bytes.set(new TextEncoder().encode(`${name}\0`), 19);
  return length;
}

/** One for all runs: it is large. */
const arena = new Uint8Array(64 * 1024 * 1024);

/** A kernel whose answers are possible ones, by chance. */
function kernelWith(text: string, { below, pick }: Chance, errors: boolean): Kernel {
  const opened: string[] = [];
  let lists = 0;
  const contents = (path: string): string => {
    if (path.endsWith("state.json")) return text;
    if (!path.endsWith("/stat")) return pick(["THAWED\n", "FROZEN\n", "1\n", "", "x".repeat(40)]);
    return `4711 (a ) b) ${pick(["S", "Z", "R"])}${" 1".repeat(18)} ${pick(["123456", "5"])} 7\n`;
  };
  const calls: Partial<Record<CallName, (args: readonly number[], machine: Machine) => number>> = {
    openat: ([, path = 0], machine) => 4 + opened.push(machine.text(path)),
    read([file = 0, to = 0, room = 0], machine) {
      const bytes = Buffer.from(contents(opened[file - 5] ?? ""), "latin1").subarray(0, room);
      machine.at(to, room, true).set(bytes);
      return bytes.length;
    },
    write([, from = 0, length = 0], machine) {
      machine.at(from, length, false);
      return pick([length, 1 + below(length)]);
    },
    getdents64([, to = 0, room = 0], machine) {
      const list = machine.at(to, room, true).subarray(0, room);
      let length = 0;
      if (lists++ > 0) return 0;
      for (let left = below(pick([5, 30])); left > 0; left--)
        length += putEntry(list.subarray(length), pick(entries), pick([4, 8, 0]));
      return length;
    },
    ppoll([poll = 0], machine) {
      machine.at(poll, 8, true)[6] = pick([1, 16, 17]);
      return 1;
    },
    statx([, , , , to = 0], machine) {
      machine.at(to, 256, true).fill(0, 0, 256)[29] = 0x41;
      return 0;
    },
    mmap(_, machine) {
      machine.add(0x2000_0000, arena);
      return 0x2000_0000;
    },
    unlinkat([, path = 0], machine) {
      machine.text(path);
      return below(20) > 0 ? 0 : pick([-ERRNO.ENOENT, -ERRNO.EBUSY]);
    },
    faccessat2([, path = 0], machine) {
      machine.text(path);
      return pick([0, 0, -ERRNO.ENOENT]);
    },
    rt_sigaction([, action = 0], machine) {
      machine.at(action, 32, false);
      return 0;
    },
    pidfd_open: () => 9,
  };
  return (name, args, machine) => {
    if (errors && below(30) === 0)
      return -pick([ERRNO.ENOENT, ERRNO.EPERM, ERRNO.ENOSYS, ERRNO.EINTR, ERRNO.EIO]);
    return calls[name]?.(args, machine) ?? 0;
  };
}

const lines = [
  ["--root", "/r", "state", "box"],
  ["--root=/r", "start", "box"],
  ["--root", "/r", "--log", "/log", "kill", "box", "KILL"],
  ["--root", "/r", "delete", "--force", "box"],
  ["--root=/r", "list"],
  ["state", "box"],
  ["--root", `/${"r".repeat(1534)}`, "state", "box"],
  ["--root", "/r", "state", "b".repeat(255)],
];
const words = [
  "",
  "-",
  "--",
  "--root",
  "--root=",
  "/",
  "/".repeat(5000),
  "x".repeat(5000),
  "state",
  "box",
  "65",
  "\xff",
];
const environments = [
  [],
  ["XDG_RUNTIME_DIR=/run/user"],
  ["XDG_RUNTIME_DIR="],
  [`XDG_RUNTIME_DIR=/${"x".repeat(1530)}`],
];
const numbers = [
  "0",
  "1",
  "65535",
  "4294967296",
  "9223372036854775807",
  "18446744073709551615",
  "18446744073709551000",
];
const pieces = ["\0", '"', "]", ",", "\\", "9", "-", " ", "\xff", "1".repeat(2000), " ".repeat(24_000)];

/** A record that somebody has had his hands on. */
function changed({ below, pick }: Chance): string {
  let text = whole;
  for (let left = below(4); left > 0; left--) {
    const at = below(pick([100, text.length]));
    const change = below(4);
    if (change === 0) text = text.slice(0, at) + pick(pieces) + text.slice(at);
    else if (change === 1) text = text.slice(0, at) + text.slice(at + 1 + below(40));
    else if (change === 2) text = text.slice(0, at) + pick(pieces) + text.slice(at + 1);
    else
      text = text.replace(/(?<=\d,)\d+/g, (number) =>
        below(5) === 0 ? pick([...numbers, "1".repeat(below(20_000))]) : number,
      );
  }
  // Made whole again, so that it is not for its length alone that it is refused.
  const length = text.length - text.indexOf("]") - 1;
  return below(3) === 0 ? text : text.replace(/^(\{"brief":\[(?:\d+,){6})\d+/, (_, start) => start + length);
}

describe("whatever the record, the command line and the kernel say", () => {
  test("no access is outside of the memory, and it ends", () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= 3000; seed++) {
      const luck = chance(seed);
      const line = luck.pick(lines).map((word) => (luck.below(20) === 0 ? luck.pick(words) : word));
      const kernel = kernelWith(changed(luck), luck, luck.below(2) === 0);
      const machine = new Machine(recorded, kernel, ["bunc", ...line], luck.pick(environments));
      ends.add(`${line.find((word) => /^(state|start|kill|delete|list)$/.test(word))} ${machine.run()}`);
    }
    // The others were not all refused at once.
    for (const command of ["state", "start", "kill", "delete", "list"]) {
      expect([...ends]).toContain(`${command} 0`);
      expect([...ends]).toContain(`${command} engine`);
    }
  });

  test("an access outside of it is seen", () => {
    const machine = new Machine(recorded, () => 0, ["bunc"], []);
    machine.add(0x5000, new Uint8Array(4));
    expect(() => machine.at(0x5000, 5, false)).toThrow(Fault);
    expect(() => machine.at(0x4fff, 1, false)).toThrow(Fault);
    expect(machine.at(0x5003, 1, true)).toHaveLength(1);
  });
});
