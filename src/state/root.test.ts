import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StateError } from "./error.ts";
import { chooseRoot, type RootProbe, stateRoot, translateUid } from "./root.ts";

const directory = 0o040000;

interface Machine {
  euid: number;
  runtimeDirectory?: string;
  temporaryDirectory?: string;
  outerUid?: number;
  /** path → [type and permission bits, owner] */
  paths?: Record<string, [number, number]>;
  /** Directories in which the user may make others. */
  writable?: string[];
}

function probe(machine: Machine): RootProbe & { made: string[] } {
  const paths: Machine["paths"] & object = { "/tmp/": [directory | 0o1777, 0], ...machine.paths };
  const made: string[] = [];
  return {
    made,
    euid: machine.euid,
    runtimeDirectory: machine.runtimeDirectory,
    temporaryDirectory: machine.temporaryDirectory,
    outerUid: () => machine.outerUid ?? machine.euid,
    writable: (path) => paths[path]?.[1] === machine.euid,
    status(path) {
      const found = paths[path];
      return found && { mode: found[0], uid: found[1] };
    },
    make(path, mode) {
      if (paths[path]) return true;
      if (!machine.writable?.includes(path.slice(0, path.lastIndexOf("/")))) return false;
      paths[path] = [directory | mode, machine.euid];
      made.push(path);
      return true;
    },
  };
}

const user = "/run/user/1000";
const ownUser: Record<string, [number, number]> = { [user]: [directory | 0o700, 1000] };
const scratch = "/scratch/job7";
const ownScratch: Record<string, [number, number]> = { [`${scratch}/`]: [directory | 0o755, 0] };
const mappedUser: Record<string, [number, number]> = { [user]: [directory | 0o700, 0] };

test.each<[string, Machine, string]>([
  ["root", { euid: 0, writable: ["/run"] }, "/run/bunc"],
  ["root with a session", { euid: 0, runtimeDirectory: "/run/user/0", writable: ["/run"] }, "/run/bunc"],
  [
    "a user with a session",
    { euid: 1000, runtimeDirectory: user, paths: ownUser, writable: [user] },
    `${user}/bunc`,
  ],
  [
    "a trailing slash",
    {
      euid: 1000,
      runtimeDirectory: `${user}/`,
      paths: { [`${user}/`]: [directory, 1000] },
      writable: [user],
    },
    `${user}/bunc`,
  ],
  ["a user without a session", { euid: 1000, writable: ["/tmp"] }, "/tmp/bunc-1000"],
  ["the empty string", { euid: 1000, runtimeDirectory: "", writable: ["/tmp"] }, "/tmp/bunc-1000"],
  ["a relative path", { euid: 1000, runtimeDirectory: "run", writable: ["/tmp", "run"] }, "/tmp/bunc-1000"],
  [
    "another user's session, after su",
    { euid: 1001, runtimeDirectory: user, paths: ownUser, writable: ["/tmp", user] },
    "/tmp/bunc-1001",
  ],
  [
    "root of a user namespace",
    { euid: 0, runtimeDirectory: user, paths: mappedUser, writable: [user] },
    `${user}/bunc`,
  ],
  [
    "root of a user namespace where the real root has containers",
    {
      euid: 0,
      runtimeDirectory: user,
      paths: { ...mappedUser, "/run/bunc": [directory | 0o700, 65534] },
      writable: [user],
    },
    `${user}/bunc`,
  ],
  [
    "root of a user namespace without a session",
    { euid: 0, outerUid: 1000, writable: ["/tmp"] },
    "/tmp/bunc-1000",
  ],
  [
    "a user with a session that cannot be written",
    { euid: 1000, runtimeDirectory: user, paths: ownUser, writable: ["/tmp"] },
    "/tmp/bunc-1000",
  ],
  [
    "$TMPDIR, where /tmp will do",
    { euid: 1000, temporaryDirectory: scratch, paths: ownScratch, writable: ["/tmp", scratch] },
    "/tmp/bunc-1000",
  ],
  [
    "$TMPDIR, where /tmp is read-only",
    { euid: 1000, temporaryDirectory: `${scratch}/`, paths: ownScratch, writable: [scratch] },
    `${scratch}/bunc-1000`,
  ],
  [
    "$TMPDIR, where somebody else was faster in /tmp",
    {
      euid: 1000,
      temporaryDirectory: scratch,
      paths: { ...ownScratch, "/tmp/bunc-1000": [directory | 0o777, 1001] },
      writable: [scratch],
    },
    `${scratch}/bunc-1000`,
  ],
  ["root with a read-only /run", { euid: 0, writable: ["/tmp"] }, "/tmp/bunc-0"],
])("%s", (_, machine, expected) => {
  const first = probe(machine);
  expect(chooseRoot(first, true)).toBe(expected);
  expect(first.made).toEqual([expected]);
  // Later commands only look, and must come to the same answer.
  const later = probe({
    ...machine,
    paths: { ...machine.paths, [expected]: [directory | 0o700, machine.euid] },
  });
  expect(chooseRoot(later, false)).toBe(expected);
  expect(later.made).toEqual([]);
});

test("nothing is made only to be looked at", () => {
  const machine = probe({ euid: 1000, writable: ["/tmp"] });
  expect(chooseRoot(machine, false)).toBe("/tmp/bunc-1000");
  expect(machine.made).toEqual([]);
});

test("a session without containers is named when nothing is there", () => {
  const machine = { euid: 1000, runtimeDirectory: user, paths: ownUser, writable: [user, "/tmp"] };
  expect(chooseRoot(probe(machine), false)).toBe(`${user}/bunc`);
});

test("a private directory in one where anybody may rename it is refused", () => {
  const paths: Machine["paths"] = { "/tmp/": [directory | 0o777, 0] };
  expect(() => chooseRoot(probe({ euid: 1000, writable: ["/tmp"], paths }), true)).toThrow(StateError);
});

test.each<[string, [number, number]]>([
  ["a link", [0o120777, 1000]],
  ["a file", [0o100600, 1000]],
  ["somebody else's", [directory | 0o700, 1001]],
  ["open to others", [directory | 0o750, 1000]],
])("a private directory that is %s is refused", (_, status) => {
  for (const make of [true, false]) {
    const machine = probe({ euid: 1000, writable: ["/tmp"], paths: { "/tmp/bunc-1000": status } });
    expect(() => chooseRoot(machine, make)).toThrow(StateError);
  }
});

test("--root is taken as it is, and made with what is above it", () => {
  const base = mkdtempSync(join(tmpdir(), "root-"));
  try {
    const path = join(base, "a/b/c");
    expect(stateRoot(path, false)).toBe(path);
    expect(() => statSync(path)).toThrow();
    expect(stateRoot(path, true)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(stateRoot(path, true)).toBe(path);
    expect(() => stateRoot("/proc/none/such", true)).toThrow();
  } finally {
    rmSync(base, { recursive: true });
  }
});

test("ids are translated as the map says", () => {
  expect(translateUid("         0          0 4294967295\n", 1000)).toBe(1000);
  expect(translateUid("0 1000 1\n1 100000 65536\n", 0)).toBe(1000);
  expect(translateUid("0 1000 1\n1 100000 65536\n", 5)).toBe(100004);
  expect(translateUid("", 7)).toBe(7);
});
