import { describe, expect, test } from "bun:test";
import { compile } from "../../ffi/program/image.ts";
import { listing } from "../../ffi/program/listing.ts";
import type { HostFacts } from "../plan/facts.ts";
import { resolve } from "../plan/resolve.ts";
import type { Plan, PlanOptions } from "../plan/types.ts";
import { exampleConfig } from "../spec/example.ts";
import { recordContainer } from "./program.ts";

const facts: HostFacts = {
  arch: "x64",
  uid: 0,
  gid: 0,
  effective: (1n << 41n) - 1n,
  bounding: 0n,
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
  resctrl: "",
  cgroupLayout: { kind: "none" },
  systemd: { kind: "unasked" },
  ownStreams: [],
  directoryModes: new Map(),
  links: new Map(),
  openFiles: undefined,
  passwd: "",
};

const options: PlanOptions = {
  id: "c",
  noPivot: false,
  newKeyring: true,
  keepGroups: false,
  listenFds: 0,
  preserveFds: 0,
  notifyDirectory: undefined,
  cgroupManager: "disabled",
  rootless: "auto",
  rootEmulation: undefined,
};

type Changes = Parameters<typeof exampleConfig>[0];

function planOf(changes: Changes, other: Partial<HostFacts> = {}): Plan {
  return resolve({ path: "/bundle", config: exampleConfig(changes) }, { ...facts, ...other }, options);
}

function lines(changes: Changes, other: Partial<HostFacts> = {}): string[] {
  const inherited = {
    sync: 3,
    gate: { kind: "fifo", start: 4, result: 5 },
    console: -1,
    namespaces: [],
    trees: new Map<number, number>(),
    cgroup: null,
    cgroupDirectory: -1,
    handOver: null,
    filters: { profile: undefined, emulation: undefined },
  } as const;
  const program = recordContainer(planOf(changes, other), inherited);
  // Finds what a listing does not show: registers that are read too early, labels that are nowhere.
  compile(program);
  return listing(program);
}

function inOrder(all: readonly string[], ...parts: string[]): void {
  const found = parts.map((part) => all.findIndex((line) => line.includes(part)));
  expect(found).not.toContain(-1);
  expect(found).toEqual(found.toSorted((a, b) => a - b));
}

const label = "u:r:container_t:s0:c1,c2";
const mountLabel = "u:object_r:container_file_t:s0:c1,c2";

test("a container that asks for nothing of this has no step of it", () => {
  expect(planOf({}).seldom).toBeNull();
  expect(lines({}).join("\n")).not.toMatch(/attr\/|"context"/);
});

test("AppArmor's profile is asked for there, too; without AppArmor that is an error by name", () => {
  const changes: Changes = { process: { apparmorProfile: "p" } };
  inOrder(lines(changes), '"/proc/thread-self/attr/apparmor/exec"', '"exec p"', "clone3(", "execve(");
  expect(lines(changes).join("\n")).not.toContain("keycreate");
  const off = { securityModules: { selinux: true, apparmor: false } };
  expect(() => planOf(changes, off)).toThrow("process.apparmorProfile");
});

test("a memory policy and a personality are set when the limits are, before rights are given up", () => {
  const all = lines({
    process: { noNewPrivileges: true },
    linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "0" }, personality: { domain: "LINUX32" } },
  });
  const gate = all.findLastIndex((line) => line.startsWith("@start "));
  inOrder(
    all.slice(gate),
    "set_mempolicy(2, ",
    "personality(8)",
    "PR_SET_NO_NEW_PRIVS",
    "setresuid(",
    "execve(",
  );
});

test("scheduling is no step of the process: bunc sets it from outside", () => {
  const changes: Changes = {
    process: {
      scheduler: { policy: "SCHED_BATCH" },
      ioPriority: { class: "IOPRIO_CLASS_BE", priority: 1 },
      execCPUAffinity: { initial: "0", final: "0" },
    },
  };
  expect(lines(changes)).toEqual(lines({}));
  expect(planOf(changes).seldom?.scheduling).toMatchObject({ scheduler: { policy: 3 }, ioPriority: 0x4001 });
});

describe("SELinux", () => {
  const changes: Changes = {
    process: { selinuxLabel: label },
    mounts: [{ destination: "/t", type: "tmpfs", source: "tmpfs" }],
    linux: { mountLabel, maskedPaths: ["/proc/acpi"] },
  };

  test("the process's label is asked for before anything of the container's can be seen", () => {
    inOrder(
      lines(changes),
      '"/proc/thread-self/attr/exec"',
      '"/proc/thread-self/attr/keycreate"',
      "clone3(",
      "KEYCTL_JOIN_SESSION_KEYRING",
      "execve(",
    );
  });

  test("new file systems have the mount label: mounts, and what covers a directory", () => {
    const labelled = lines(changes).filter((line) => line.includes(`"context", "${mountLabel}"`));
    expect(labelled.map((line) => line.split(" ")[0])).toEqual(["@mounts[0]", "@linux.maskedPaths"]);
  });

  test("where it is not enabled the container is made without labels, and the caller is told", () => {
    const disabled = { securityModules: { selinux: false, apparmor: false } };
    const none: Changes = { ...changes, process: {}, linux: { maskedPaths: ["/proc/acpi"] } };
    expect(lines(changes, disabled)).toEqual(lines(none));
    expect(planOf(changes, disabled).warnings).toHaveLength(2);
  });
});
