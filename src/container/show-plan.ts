import { listing } from "../../ffi/program/listing.ts";
import { openNamespaces } from "../linux/namespaces/apply.ts";
import { loadFilter } from "../linux/seccomp/compile.ts";
import { checkLength } from "../linux/seccomp/filter-file.ts";
import type { CreateOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { recordContainer } from "./program.ts";

// Numbers that stand for what create would open: the listing shows where each is used.
const stand = { sync: 3, start: 4, result: 5, console: 6, profile: 7, emulation: 8, tree: 9 } as const;

/**
 * `plan`: the steps that the container's processes would make, one a line, as strace would print them. Nothing is
 * made, and no privilege is needed. Cgroups are left out: only making them shows which can be had.
 * Throws SpecError, SyscallError.
 */
export function showPlan(options: CreateOptions): readonly string[] {
  const { plan } = prepare(options);
  const filter = (planned: typeof plan.seccomp, fd: number) => {
    if (planned.kind === "none") return undefined;
    // Only whether it can be compiled; create does it later, too.
    checkLength(loadFilter(planned, undefined));
    return { fd };
  };
  const trees = new Map<number, number>();
  for (const [index, { idmap }] of plan.mounts.entries()) {
    if (idmap.kind !== "none") trees.set(index, stand.tree + trees.size);
  }
  const namespaces = openNamespaces(plan.namespaces);
  try {
    const program = recordContainer(plan, {
      sync: stand.sync,
      gate: { kind: "fifo", start: stand.start, result: stand.result },
      console: plan.terminal.kind === "new" ? stand.console : -1,
      namespaces,
      trees,
      cgroup: null,
      cgroupDirectory: -1,
      handOver: { kind: "listening", fd: stand.tree + trees.size },
      filters: {
        profile: filter(plan.seccomp, stand.profile),
        emulation: filter(plan.emulation, stand.emulation),
      },
    });
    return listing(program);
  } finally {
    for (const { descriptor } of namespaces) descriptor.close();
  }
}
