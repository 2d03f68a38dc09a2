import { expect, test } from "bun:test";
import { CLONE } from "../../ffi/constants/process.ts";
import { listing } from "../../ffi/program/listing.ts";
import { type CgroupRecord, isUsers } from "../linux/cgroups/cgroup-record.ts";
import { type ExecFacts, resolveExec } from "../plan/resolve-exec.ts";
import { exampleConfig } from "../spec/example.ts";
import { execDescriptors, recordExec } from "./exec-program.ts";

const facts: ExecFacts = {
  arch: "x64",
  bounding: 0n,
  lastCapability: 3,
  securityModules: { selinux: true, apparmor: true },
  setgroupsDenied: false,
  callerFiles: "inherited",
  ownStreams: [],
  passwd: "root:x:0:0::/root:/bin/sh\n",
  joins: CLONE.NEWNS + CLONE.NEWPID,
  joinsUser: false,
};

function record(
  process: Record<string, unknown>,
  changes: Partial<ExecFacts> = {},
  cgroup: CgroupRecord | null = null,
  linux: Record<string, unknown> = {},
  born = true,
): string[] {
  const config = exampleConfig({ process, linux });
  if (!config.process) throw new Error("no process");
  const plan = resolveExec(
    config,
    config.process,
    { ...facts, ...changes },
    { id: "c", newKeyring: false, rootEmulation: { kind: "none" }, keepGroups: false, preserveFds: 1 },
  );
  const numbers = execDescriptors(1, {
    console: plan.terminal.kind === "new",
    cgroup: born && cgroup !== null && !isUsers(cgroup),
    handOver: false,
  });
  return listing(recordExec(plan, numbers, cgroup, { profile: undefined, emulation: undefined })).map(
    (line) => line.replace(/^@\S+ (descriptors )?/, ""),
  );
}

const at = (lines: readonly string[], part: string | RegExp): number => {
  const index = lines.findIndex((line) => (typeof part === "string" ? line.includes(part) : part.test(line)));
  if (index < 0) throw new Error(`no ${part} in\n${lines.join("\n")}`);
  return index;
};

function inOrder(lines: readonly string[], ...parts: (string | RegExp)[]): void {
  const found = parts.map((part) => at(lines, part));
  expect(found).toEqual(found.toSorted((a, b) => a - b));
}

test("descriptors come after the preserved ones", () => {
  expect(execDescriptors(0, { console: false, cgroup: false, handOver: false })).toEqual({
    init: 3,
    root: 4,
    sync: 5,
    console: -1,
    cgroup: -1,
    handOver: -1,
  });
  expect(execDescriptors(2, { console: true, cgroup: true, handOver: true })).toEqual({
    init: 5,
    root: 6,
    sync: 7,
    console: 8,
    cgroup: 9,
    handOver: 10,
  });
});

test("what is the caller's is closed before there is a process in the container (CVE-2016-9962)", () => {
  const cgroup: CgroupRecord = {
    kind: "v1",
    directories: [
      { controllers: "cpu", path: "/cpu/c" },
      { controllers: "", path: "/unified/c" },
    ],
  };
  const lines = record({ terminal: true }, {}, cgroup);
  inOrder(
    lines,
    "close_range(9, ",
    '"/cpu/c/tasks"',
    "PR_SET_DUMPABLE, 0",
    "clone3(",
    "close(8)",
    "getpid()",
    "setns(4, CLONE_NEWNS|CLONE_NEWPID)",
    "fchdir(",
    'chroot(".")',
    '"/dev/pts/ptmx"',
    "close(4)",
    /clone3\(\{CLONE_PARENT\}/,
    "setsid()",
    "TIOCSCTTY",
    "getcwd(",
    "close_range(4, ",
    "execve(",
  );
});

test("root's ids are taken in a user namespace that is joined", () => {
  const lines = record({}, { joins: CLONE.NEWUSER, joinsUser: true });
  inOrder(lines, "setns(4, CLONE_NEWUSER)", "setresgid(0, 0, 0)", "setresuid(0, 0, 0)", 'chroot(".")');
});

test("the label is asked for where /proc is the caller's, and again for nobody who asks for none", () => {
  const lines = record({ selinuxLabel: "u:r:t:s0" });
  inOrder(
    lines,
    "close_range(",
    '"/proc/thread-self/attr/exec"',
    "setns(4",
    /clone3\(\{CLONE_PARENT\}/,
    "execve(",
  );
  expect(lines.join("\n")).not.toContain("keycreate");
  expect(record({}).join("\n")).not.toContain("attr/");
  expect(
    record({ selinuxLabel: "u:r:t:s0" }, { securityModules: { selinux: false, apparmor: true } }),
  ).toEqual(record({}));
});

test("the first CPUs are set before the cgroup is entered, the last ones by the process in it", () => {
  const affinity = { initial: "0", final: "1" };
  const cgroup: CgroupRecord = { kind: "v1", directories: [{ controllers: "cpu", path: "/cpu/c" }] };
  const lines = record({ execCPUAffinity: affinity }, {}, cgroup);
  const masks = lines.flatMap((line, index) => (line.includes("sched_setaffinity(") ? [index] : []));
  expect(masks).toHaveLength(2);
  const [first = 0, last = 0] = masks;
  expect(first).toBeLessThan(at(lines, '"/cpu/c/tasks"'));
  expect(last).toBeGreaterThan(at(lines, /clone3\(\{CLONE_PARENT\}/));
  expect(last).toBeLessThan(at(lines, "execve("));
  expect(record({ execCPUAffinity: {} })).toEqual(record({}));
});

test("a container's memory policy and personality are those of every process in it", () => {
  const linux = { memoryPolicy: { mode: "MPOL_LOCAL" }, personality: { domain: "LINUX" }, mountLabel: "m" };
  inOrder(
    record({}, {}, null, linux),
    /clone3\(\{CLONE_PARENT\}/,
    "set_mempolicy(4, NULL, 0)",
    "personality(0)",
    "execve(",
  );
});

test("nothing is joined that is the caller's own", () => {
  expect(record({}, { joins: 0 }).join("\n")).not.toContain("setns");
});

test("where birth into a cgroup is deadly, the first process moves there before it joins", () => {
  const lines = record({}, {}, { kind: "v2", path: "/cg/c" }, {}, false);
  inOrder(lines, '"/cg/c/cgroup.procs"', "PR_SET_DUMPABLE, 0", "setns(4", /clone3\(\{CLONE_PARENT\}/);
  expect(lines.join("\n")).not.toContain("CLONE_INTO_CGROUP");
});

test("where only a user's systemd can move a process, it waits for that, and nothing is entered", () => {
  const cgroup: CgroupRecord = {
    kind: "v2",
    path: "/sys/fs/cgroup/u/x.scope/container",
    scope: { unit: "x.scope", bus: "user" },
  };
  const lines = record({}, {}, cgroup);
  inOrder(lines, "read(6", "PR_SET_DUMPABLE, 0", "setns(4");
  expect(lines.join("\n")).not.toContain("x.scope");
});
