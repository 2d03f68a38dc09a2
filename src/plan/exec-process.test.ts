import { expect, test } from "bun:test";
import type { Process } from "../spec/types.ts";
import { execProcess, type ProcessOverrides } from "./exec-process.ts";

const container: Process = {
  terminal: true,
  consoleSize: { height: 1, width: 2 },
  cwd: "/srv",
  args: ["daemon"],
  env: ["PATH=/bin"],
  user: { uid: 5, gid: 6, umask: 0o77, additionalGids: [7] },
  capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: [], ambient: [] },
  rlimits: [{ type: "RLIMIT_CORE", soft: 0n, hard: 0n }],
  noNewPrivileges: true,
  oomScoreAdj: 10,
};

const none: ProcessOverrides = {
  args: ["sh"],
  cwd: undefined,
  env: [],
  terminal: false,
  uid: undefined,
  gid: undefined,
  additionalGids: [],
  noNewPrivileges: false,
  selinuxLabel: undefined,
  apparmorProfile: undefined,
  capabilities: [],
};

test("without options it is the container's process, but for the command and the terminal", () => {
  const { terminal: _, consoleSize: __, ...rest } = container;
  expect(execProcess(container, undefined, none)).toEqual({ ...rest, args: ["sh"] });
});

test("options change it", () => {
  const process = execProcess(container, undefined, {
    args: ["id"],
    cwd: "/tmp",
    env: ["A=1"],
    terminal: true,
    uid: 1,
    gid: 2,
    additionalGids: [3],
    noNewPrivileges: true,
    selinuxLabel: "u:r:t",
    apparmorProfile: "p",
    capabilities: ["CAP_CHOWN"],
  });
  expect(process).toMatchObject({
    args: ["id"],
    cwd: "/tmp",
    env: ["PATH=/bin", "A=1"],
    terminal: true,
    user: { uid: 1, gid: 2, umask: 0o77, additionalGids: [7, 3] },
    selinuxLabel: "u:r:t",
    apparmorProfile: "p",
  });
});

test("the container's label stays, unless another is named", () => {
  const labelled: Process = { ...container, selinuxLabel: "u:r:container_t" };
  const document: Process = { cwd: "/", args: ["ls"], user: { uid: 1, gid: 1 } };
  const label = (of: Process | undefined, option?: string) =>
    execProcess(labelled, of, { ...none, args: [], selinuxLabel: option }).selinuxLabel;
  expect(label(undefined)).toBe("u:r:container_t");
  expect(label(document)).toBe("u:r:container_t");
  expect(label({ ...document, selinuxLabel: "" })).toBe("u:r:container_t");
  expect(label({ ...document, selinuxLabel: "u:r:t" })).toBe("u:r:t");
  expect(label(document, "u:r:o")).toBe("u:r:o");
});

test("--cap adds to three sets (CVE-2022-29162)", () => {
  const { capabilities } = execProcess(container, undefined, { ...none, capabilities: ["CAP_CHOWN"] });
  expect(capabilities).toEqual({
    bounding: ["CAP_KILL", "CAP_CHOWN"],
    effective: ["CAP_KILL", "CAP_CHOWN"],
    permitted: ["CAP_CHOWN"],
    inheritable: [],
    ambient: [],
  });
});

test("a document replaces it; what it does not say of the container's limits stays", () => {
  const document: Process = { cwd: "/", args: ["ls"], user: { uid: 1, gid: 1 } };
  expect(execProcess(container, document, { ...none, args: [] })).toEqual({
    cwd: "/",
    args: ["ls"],
    user: { uid: 1, gid: 1, umask: 0o77 },
    capabilities: container.capabilities ?? {},
    rlimits: container.rlimits ?? [],
    oomScoreAdj: 10,
  });
});

test("and so do its scheduling and the CPUs of its further processes", () => {
  const own: Pick<Process, "scheduler" | "ioPriority" | "execCPUAffinity"> = {
    scheduler: { policy: "SCHED_BATCH" },
    ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 0 },
    execCPUAffinity: { initial: "0" },
  };
  const document: Process = { cwd: "/", args: ["ls"], user: { uid: 1, gid: 1 } };
  expect(execProcess({ ...container, ...own }, document, { ...none, args: [] })).toMatchObject(own);
  const other = { ...document, execCPUAffinity: { final: "1" } };
  expect(execProcess({ ...container, ...own }, other, { ...none, args: [] }).execCPUAffinity).toEqual({
    final: "1",
  });
});

test("and so does its profile", () => {
  const confined: Process = { ...container, apparmorProfile: "containers" };
  const document: Process = { cwd: "/", args: ["ls"], user: { uid: 1, gid: 1 } };
  const profile = (of: Process | undefined, option?: string) =>
    execProcess(confined, of, { ...none, args: [], apparmorProfile: option }).apparmorProfile;
  expect([profile(undefined), profile({ ...document, apparmorProfile: "" })]).toEqual([
    "containers",
    "containers",
  ]);
  expect([profile({ ...document, apparmorProfile: "p" }), profile(document, "o")]).toEqual(["p", "o"]);
});

test("a container without a process needs a document", () => {
  expect(() => execProcess(undefined, undefined, none)).toThrow("process is missing");
  expect(execProcess(undefined, { cwd: "/", user: { uid: 0, gid: 0 } }, none).args).toEqual(["sh"]);
});
