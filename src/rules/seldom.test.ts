import { expect, test } from "bun:test";
import { exampleConfig } from "../spec/example.ts";
import { checkBundle } from "./check.ts";

type Values = Record<string, unknown>;

const scheduler = (values: Values) => exampleConfig({ process: { scheduler: values } });
const memoryPolicy = (values: Values) => exampleConfig({ linux: { memoryPolicy: values } });

const deadline = { policy: "SCHED_DEADLINE", runtime: 2000, deadline: 3000, period: 4000 };

test.each<[string, Values]>([
  ["policy is SCHED_ISO", { policy: "SCHED_ISO" }],
  ["nice is -21", { policy: "SCHED_OTHER", nice: -21 }],
  ["priority does not go with SCHED_IDLE", { policy: "SCHED_IDLE", priority: 1 }],
  ["priority is 0: it must be a number from 1 to 99 with SCHED_FIFO", { policy: "SCHED_FIFO" }],
  ["priority is 100", { policy: "SCHED_RR", priority: 100 }],
  ["deadline does not go with SCHED_BATCH", { policy: "SCHED_BATCH", deadline: 1 }],
  ["period does not go with SCHED_RR", { policy: "SCHED_RR", priority: 1, period: 1 }],
  ["runtime is 0", { policy: "SCHED_DEADLINE" }],
  ["runtime is 1023", { ...deadline, runtime: 1023 }],
  ["deadline is 1999", { ...deadline, deadline: 1999 }],
  ["period is 2999", { ...deadline, period: 2999 }],
])("process.scheduler.%s", (message, values) => {
  expect(() => checkBundle(scheduler(values))).toThrow(`process.scheduler.${message}`);
});

test.each<[Values]>([
  [{ policy: "SCHED_OTHER", nice: -20 }],
  [{ policy: "SCHED_BATCH", nice: 19 }],
  [{ policy: "SCHED_IDLE" }],
  [{ policy: "SCHED_FIFO", priority: 1 }],
  [{ policy: "SCHED_RR", priority: 99, flags: ["SCHED_FLAG_RESET_ON_FORK"] }],
  [{ policy: "SCHED_FIFO", flags: ["SCHED_FLAG_KEEP_PARAMS"] }],
  [deadline],
  [{ ...deadline, period: 0 }],
  [{ policy: "SCHED_DEADLINE", flags: ["SCHED_FLAG_KEEP_PARAMS"] }],
])("process.scheduler may be %j", (values) => {
  expect(() => checkBundle(scheduler(values))).not.toThrow();
});

test.each<[string, Values]>([
  ['nodes is "x"', { mode: "MPOL_BIND", nodes: "x" }],
  ["nodes is missing: MPOL_BIND needs", { mode: "MPOL_BIND" }],
  ["nodes is missing: MPOL_INTERLEAVE needs", { mode: "MPOL_INTERLEAVE", nodes: "" }],
  ["nodes is missing", { mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "" }],
  ["nodes is missing", { mode: "MPOL_PREFERRED_MANY", nodes: "," }],
  ["nodes does not go with MPOL_DEFAULT", { mode: "MPOL_DEFAULT", nodes: "0" }],
  ["nodes does not go with MPOL_LOCAL", { mode: "MPOL_LOCAL", nodes: "0" }],
  ["flags[0] does not go with MPOL_LOCAL", { mode: "MPOL_LOCAL", flags: ["MPOL_F_STATIC_NODES"] }],
  [
    "flags[1] does not go with MPOL_INTERLEAVE",
    { mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"] },
  ],
  [
    "flags[1] contradicts the other",
    { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"] },
  ],
  [
    "flags[0] says something of nodes",
    { mode: "MPOL_PREFERRED", nodes: "", flags: ["MPOL_F_RELATIVE_NODES"] },
  ],
])("linux.memoryPolicy.%s", (message, values) => {
  expect(() => checkBundle(memoryPolicy(values))).toThrow(`linux.memoryPolicy.${message}`);
});

test.each<[Values]>([
  [{ mode: "MPOL_DEFAULT" }],
  [{ mode: "MPOL_LOCAL", nodes: "", flags: [] }],
  [{ mode: "MPOL_PREFERRED" }],
  [{ mode: "MPOL_PREFERRED", nodes: "1" }],
  [{ mode: "MPOL_BIND", nodes: "0-1", flags: ["MPOL_F_NUMA_BALANCING", "MPOL_F_STATIC_NODES"] }],
  [{ mode: "MPOL_PREFERRED_MANY", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"] }],
])("linux.memoryPolicy may be %j", (values) => {
  expect(() => checkBundle(memoryPolicy(values))).not.toThrow();
});

test("execCPUAffinity has lists of CPUs, or none", () => {
  const affinity = (values: Values) => () =>
    checkBundle(exampleConfig({ process: { execCPUAffinity: values } }));
  expect(affinity({ initial: "0", final: "1-" })).toThrow(
    'process.execCPUAffinity.final is "1-": it must be a list of CPUs',
  );
  expect(affinity({ initial: "f" })).toThrow("process.execCPUAffinity.initial");
  expect(affinity({ initial: "", final: "0-1,7" })).not.toThrow();
  expect(affinity({})).not.toThrow();
});

test("a personality has no flags", () => {
  const personality = (values: Values) => () =>
    checkBundle(exampleConfig({ linux: { personality: values } }));
  expect(personality({ domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"] })).toThrow(
    'linux.personality.flags[0] is "ADDR_NO_RANDOMIZE"',
  );
  expect(personality({ domain: "LINUX32", flags: [] })).not.toThrow();
});
