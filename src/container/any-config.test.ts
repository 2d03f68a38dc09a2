// What create decides from config.json, before it touches anything: whatever stands there, it is either a program or one
// line that names a property. The rules' part has tests of its own, src/rules/odd-input.test.ts.
import { expect, test } from "bun:test";
import { compile } from "../../ffi/program/image.ts";
import { listing } from "../../ffi/program/listing.ts";
import type { Program } from "../../ffi/program/program.ts";
import { stepWords } from "../../ffi/program/step-words.ts";
import type { CgroupLayout } from "../linux/cgroups/layout.ts";
import type { HostFacts } from "../plan/facts.ts";
import { resolve } from "../plan/resolve.ts";
import type { PlanOptions } from "../plan/types.ts";
import { checkBundle } from "../rules/check.ts";
import { refuseUnsupported } from "../rules/supported.ts";
import { SpecError } from "../spec/error.ts";
import { parseConfig } from "../spec/parse.ts";
import type { Inherited } from "./inherited.ts";
import { recordContainer } from "./program.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Path = readonly (string | number)[];

const fixtures = `${import.meta.dir}/../../test/fixtures`;
const examples = await Promise.all(
  ["buildah-config.json", "everything-config.json"].map((name) => Bun.file(`${fixtures}/${name}`).text()),
);

const unified = { mountpoint: "/sys/fs/cgroup", own: "/", writable: true };
const layouts: readonly CgroupLayout[] = [
  { kind: "none" },
  { kind: "v2", ...unified },
  {
    kind: "v1",
    hierarchies: ["cpu", "memory", "devices", "pids", "blkio", "cpuset", "hugetlb", "rdma", "freezer"].map(
      (name) => ({
        ...unified,
        mountpoint: `/sys/fs/cgroup/${name}`,
        controllers: [name],
      }),
    ),
    unified: undefined,
  },
];

const root: HostFacts = {
  arch: "x64",
  uid: 0,
  gid: 0,
  effective: (1n << 41n) - 1n,
  bounding: (1n << 41n) - 1n,
  lastCapability: 40,
  inUserNamespace: false,
  ownsMounts: true,
  mappedIds: 2 ** 32 - 1,
  joinedIds: undefined,
  seccompFilters: true,
  apt: false,
  securityModules: { selinux: true, apparmor: true },
  setgroupsDenied: false,
  kcore: false,
  callerFiles: "inherited",
  resctrl: "/sys/fs/resctrl",
  cgroupLayout: { kind: "none" },
  systemd: { kind: "unasked" },
  ownStreams: [],
  directoryModes: new Map(),
  links: new Map(),
  openFiles: undefined,
  passwd: "",
};

const user: Partial<HostFacts> = { uid: 1000, gid: 1000, effective: 0n, ownsMounts: false };

const options: PlanOptions = {
  id: "c",
  noPivot: false,
  newKeyring: true,
  keepGroups: false,
  listenFds: 0,
  preserveFds: 0,
  notifyDirectory: undefined,
  cgroupManager: "cgroupfs",
  rootless: "auto",
  rootEmulation: undefined,
};

const inherited: Inherited = {
  sync: 3,
  gate: { kind: "fifo", start: 4, result: 5 },
  console: -1,
  namespaces: [],
  trees: new Map<number, number>(),
  cgroup: null,
  cgroupDirectory: -1,
  handOver: null,
  filters: { profile: { fd: 6 }, emulation: { fd: 7 } },
};

/** Any error but a SpecError of one line fails. */
function decide(bytes: Uint8Array, facts: HostFacts): "program" | "refused" {
  try {
    const config = parseConfig(bytes);
    checkBundle(config);
    refuseUnsupported(config);
    const plan = resolve({ path: "/bundle", config }, facts, options);
    const program = recordContainer(plan, inherited);
    expect(spaceAcrossWaits(program)).toEqual([]);
    compile(program);
    expect(listing(program).join("\n")).not.toMatch(/undefined|NaN|\[object/);
    for (const warning of plan.warnings) expectLine(warning);
    return "program";
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    expectLine(error.message);
    return "refused";
  }
}

/** Space that is used before a long wait and after it: what was written there is gone, see Program.forget. */
function spaceAcrossWaits({ memory, code, waits }: Program): number[] {
  const starts: number[] = [];
  for (let i = 0; i < memory.blobs.length; i += 4)
    if (memory.blobs[i] === "space") starts.push(Number(memory.blobs[i + 1]));
  const blobOf = (offset: number) => starts.findLast((start) => start <= offset) ?? -1;
  return waits.flatMap(({ first }) => {
    const before = new Set<number>();
    const after = new Set<number>();
    for (const at of code.addresses.space)
      (at < first * stepWords ? before : after).add(blobOf(code.words[at] ?? 0));
    return [...after].filter((blob) => before.has(blob));
  });
}

/** One line for a person: as a terminal shows it, and with no word of JavaScript's or of the parser's. */
function expectLine(message: string): void {
  expect(message).toMatch(/^[ -~\u00a1-\uffff]+$/);
  expect(message.length).toBeLessThan(700);
  expect(message).not.toMatch(/Invalid|Expected|undefined|NaN|\[object/);
}

function* placesOf(value: Json, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  // The tail of a long list is like its head.
  const keys = Array.isArray(value) ? [...value.keys()].slice(0, 3) : Object.keys(value);
  for (const key of keys)
    yield* placesOf((value as Record<string | number, Json>)[key] as Json, [...path, key]);
}

/** A copy with another value at a place; undefined takes away what stands there. */
function changed(value: Json, [key, ...rest]: Path, to: Json | undefined): Json {
  if (key === undefined) return to ?? null;
  // An earlier change may have taken the place away.
  if (typeof value !== "object" || value === null) return value;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string | number, Json>;
  if (rest.length > 0) copy[key] = changed(copy[key] ?? null, rest, to);
  else if (to !== undefined) copy[key] = to;
  else delete copy[key];
  return copy as Json;
}

const encode = (value: Json) => new TextEncoder().encode(JSON.stringify(value));
const parsed = examples.map((text) => JSON.parse(text) as Json);

/** The same numbers on every run (xorshift32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

// What Go writes for nothing, what is next to a limit, what breaks a line, and what looks like a value.
const long = "x".repeat(5000);
const odd: readonly (Json | undefined)[] = [
  ...[undefined, null, true, 0, -1, -2, 1.5, 1e300, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 63],
  ...["", " ", "/", "..", "/../..", "a/b", "a\0b", "\n\u001b[2J\u009b", "\u00fc\u202e\ud83d\ude00", long],
  ...["0-", "0-99999999999", ",", "=", "%d", "cgroup.procs"],
  ...[[], [null], [""], [long], ["\u001b"], [0, 0], {}, { "": 1 }, { "cgroup.procs": "1" }],
];

const machines: readonly HostFacts[] = [
  ...layouts.map((cgroupLayout) => ({ ...root, cgroupLayout })),
  ...layouts.map((cgroupLayout) => ({ ...root, ...user, cgroupLayout })),
];

test("the examples are accepted where their limits can be had", () => {
  const of = (example: number) => machines.map((facts) => decide(encode(parsed[example] as Json), facts));
  // It forbids all devices, which root cannot do without cgroups.
  expect(of(0)).toEqual(["refused", ...Array(5).fill("program")]);
  // As a whole it needs version 2, and root.
  expect(of(1)).toEqual(["refused", "program", "refused", "refused", "refused", "refused"]);
});

test.each([
  [0, 13],
  [1, 7],
])(
  "an odd value anywhere in example %d",
  (example, stride) => {
    const json = parsed[example] as Json;
    const counts = { program: 0, refused: 0 };
    // Some of the values at each place, others at the next: with a stride of 1 it takes twenty seconds.
    let turn = 0;
    for (const path of placesOf(json)) {
      for (const value of odd) {
        turn++;
        if (turn % stride > 0) continue;
        counts[decide(encode(changed(json, path, value)), machines[1] as HostFacts)]++;
      }
    }
    expect(counts.program).toBeGreaterThan(20);
    expect(counts.refused).toBeGreaterThan(200);
  },
  60_000,
);

test("several changes at once, on machines of all kinds", () => {
  const random = randomNumbers(2463534242);
  const places = parsed.map((json) => [...placesOf(json)]);
  // What fits a place more often than chance: the values of others.
  const values = parsed.flatMap((json) => [...placesOf(json)].map((path) => valueAt(json, path)));
  const counts = { program: 0, refused: 0 };
  for (let round = 0; round < 1500; round++) {
    const example = random(2);
    let json = parsed[example] as Json;
    for (let left = 1 + random(3); left > 0; left--) {
      const path = places[example]?.[random(places[example]?.length ?? 1)] as Path;
      json = changed(json, path, random(3) > 0 ? odd[random(odd.length)] : values[random(values.length)]);
    }
    counts[decide(encode(json), machines[random(machines.length)] as HostFacts)]++;
  }
  expect(Math.min(counts.program, counts.refused)).toBeGreaterThan(20);
}, 120_000);

function valueAt(json: Json, path: Path): Json {
  let value: unknown = json;
  for (const key of path) value = (value as Record<string | number, unknown>)[key];
  return value as Json;
}
