import { describe, expect, test } from "bun:test";
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SCHED, SCHED_FLAG } from "../../../ffi/constants/scheduling.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { SpecError } from "../../spec/error.ts";
import { applyScheduling } from "./apply.ts";
import { type PlannedAffinity, planAffinity, planScheduling } from "./plan.ts";
import { recordFinalAffinity, recordInitialAffinity } from "./record.ts";

describe("process.scheduler", () => {
  test("every policy and flag has the kernel's number", () => {
    const numbers = (["OTHER", "FIFO", "RR", "BATCH", "IDLE", "DEADLINE"] as const).map(
      (name) => planScheduling({ policy: `SCHED_${name}` }, undefined).scheduling.scheduler?.policy,
    );
    expect(numbers).toEqual([0, 1, 2, 3, 5, 6]);
    const flags = [
      "RESET_ON_FORK",
      "RECLAIM",
      "DL_OVERRUN",
      "KEEP_POLICY",
      "KEEP_PARAMS",
      "UTIL_CLAMP_MIN",
      "UTIL_CLAMP_MAX",
    ] as const;
    const { scheduler } = planScheduling(
      { policy: "SCHED_OTHER", flags: flags.map((flag) => `SCHED_FLAG_${flag}` as const) },
      undefined,
    ).scheduling;
    expect(scheduler?.flags).toBe(0x7f);
  });

  test("what is left out is 0", () => {
    expect(planScheduling({ policy: "SCHED_DEADLINE", runtime: 5n }, undefined)).toEqual({
      scheduling: {
        scheduler: {
          policy: SCHED.DEADLINE,
          flags: 0,
          nice: 0,
          priority: 0,
          runtime: 5n,
          deadline: 0n,
          period: 0n,
        },
        ioPriority: 0,
      },
      warnings: [],
    });
  });

  test("a nice value without effect is named", () => {
    const warnings = (["SCHED_BATCH", "SCHED_IDLE", "SCHED_RR"] as const).map(
      (policy) => planScheduling({ policy, nice: 3, priority: 1 }, undefined).warnings.length,
    );
    expect(warnings).toEqual([0, 1, 1]);
  });

  test("the kernel takes it, for a process from outside", async () => {
    const child = Bun.spawn(["sleep", "60"]);
    try {
      const { scheduling } = planScheduling(
        { policy: "SCHED_BATCH", nice: 7, flags: ["SCHED_FLAG_RESET_ON_FORK"] },
        { class: "IOPRIO_CLASS_IDLE", priority: 0 },
      );
      expect(scheduling.scheduler?.flags).toBe(SCHED_FLAG.RESET_ON_FORK);
      applyScheduling(scheduling, child.pid);
      const fields = (await Bun.file(`/proc/${child.pid}/stat`).text()).split(") ")[1]?.split(" ") ?? [];
      // Fields 19 and 41 of proc_pid_stat(5), counted from the third.
      expect([fields[16], fields[38]]).toEqual(["7", String(SCHED.BATCH)]);
    } finally {
      child.kill();
      await child.exited;
    }
  });

  test("what the kernel refuses is named by its property", () => {
    const { scheduling } = planScheduling({ policy: "SCHED_IDLE" }, undefined);
    const attempt = () => applyScheduling(scheduling, 0x7fff_fff0);
    expect(attempt).toThrow(SpecError);
    try {
      attempt();
    } catch (error) {
      const { path, cause } = error as SpecError;
      expect(path).toBe("process.scheduler");
      expect(cause).toBeInstanceOf(SyscallError);
      expect((cause as SyscallError).errno).toBe(ERRNO.ESRCH);
    }
  });
});

test("process.ioPriority is the class and the level in one number", () => {
  const value = (name: "RT" | "BE" | "IDLE", priority: number) =>
    planScheduling(undefined, { class: `IOPRIO_CLASS_${name}`, priority }).scheduling.ioPriority;
  expect([value("RT", 0), value("BE", 4), value("IDLE", 7)]).toEqual([0x2000, 0x4004, 0x6007]);
});

describe("process.execCPUAffinity", () => {
  test("lists become masks as long as they must be", () => {
    expect(planAffinity({ initial: "0-3,7", final: "64" })).toEqual({
      initial: Uint8Array.of(0x8f, 0, 0, 0, 0, 0, 0, 0),
      final: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    });
    expect(planAffinity({ final: "1500" }).final.length).toBe(192);
  });

  test("an initial one does not last where there is no final one", () => {
    expect(planAffinity({ initial: "1" }).final).toEqual(new Uint8Array(1024).fill(0xff));
    expect(planAffinity({ initial: "", final: "" })).toEqual({
      initial: new Uint8Array(),
      final: new Uint8Array(),
    });
    expect(planAffinity({ final: "1" }).initial.length).toBe(0);
  });

  test("each is a step, named by its property", () => {
    const steps = (affinity: PlannedAffinity) => {
      const program = newProgram();
      recordInitialAffinity(program, affinity);
      recordFinalAffinity(program, affinity);
      return listing(program);
    };
    expect(steps(planAffinity({ initial: "0", final: "1" }))).toEqual([
      "@process.execCPUAffinity.initial sched_setaffinity(0, 8, {8 bytes})",
      "@process.execCPUAffinity.final sched_setaffinity(0, 8, {8 bytes})",
    ]);
    expect(steps(planAffinity({}))).toEqual([]);
  });
});
