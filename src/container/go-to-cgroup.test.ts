import { expect, test } from "bun:test";
import { listing } from "../../ffi/program/listing.ts";
import { newProgram } from "../../ffi/program/program.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { recordGoToCgroup } from "./go-to-cgroup.ts";

function recorded(cgroup: CgroupRecord, born = false): string[] {
  const program = newProgram({ report: 3 });
  recordGoToCgroup(program, cgroup, 3, born);
  return [...listing(program)];
}

const directories = [
  { controllers: "pids", path: "/cg/pids/x.scope/container" },
  { controllers: "", path: "/cg/unified/x.scope/container" },
];

test("into cgroups of bunc's own the process goes at once, and is born into that of version 2", () => {
  const lines = recorded({ kind: "v1", directories }, true);
  expect(lines[0]).toContain("/cg/pids/x.scope/container/tasks");
  expect(lines.join("\n")).not.toContain("unified");
});

test("where nobody can be born into that of version 2, the process moves there, and lets it go", () => {
  const lines = recorded({ kind: "v2", path: "/cg/x" });
  expect(lines[0]).toContain("/cg/x/cgroup.procs");
  expect(lines[1]).toContain('"0", 1)');
  expect(lines[2]).toContain("close(");
});

test("into a scope it is put by systemd, while it waits; then it goes to its place there", () => {
  const lines = recorded({ kind: "v1", directories, scope: { unit: "x.scope", bus: "system" } });
  expect(lines[0]).toContain("read(3");
  const paths = lines.filter((line) => line.includes("openat"));
  expect(paths).toHaveLength(2);
  expect(paths[0]).toContain("/cg/pids/x.scope/container/tasks");
  expect(paths[1]).toContain("/cg/unified/x.scope/container/cgroup.procs");
});
