import { describe, expect, test } from "bun:test";
import { planRootEmulation, type RootEmulationContext, rootEmulationAnnotation } from "./plan.ts";

const single: RootEmulationContext = {
  option: undefined,
  annotations: undefined,
  realRoot: false,
  ids: 1,
  owner: 1000,
  caller: { uid: 1000, effective: 0n, mappedIds: 2 ** 32 - 1 },
  filters: true,
  mayLoad: true,
  agent: false,
  startHooks: false,
  apt: false,
};
const annotated = (value: string) => ({ [rootEmulationAnnotation]: value });
const kind = (change: Partial<RootEmulationContext>) =>
  planRootEmulation({ ...single, ...change }).emulation.kind;

describe("auto", () => {
  test("is on where one id is mapped", () => {
    expect(planRootEmulation(single)).toEqual({
      emulation: { kind: "seccomp", aptConfig: "" },
      warnings: [],
    });
  });

  test("is off with more ids, with none, in a namespace that is joined, and for a real root", () => {
    for (const change of [{ ids: 65_536 }, { ids: 0 }, { ids: undefined }, { realRoot: true }]) {
      expect(planRootEmulation({ ...single, ...change })).toEqual({
        emulation: { kind: "none" },
        warnings: [],
      });
    }
  });

  test("warns, and goes on, where no filter can be loaded", () => {
    const lacking = planRootEmulation({ ...single, filters: false });
    expect(lacking.emulation.kind).toBe("none");
    expect(lacking.warnings[0]).toContain("CONFIG_SECCOMP_FILTER");
    expect(planRootEmulation({ ...single, mayLoad: false }).warnings[0]).toContain("CAP_SYS_ADMIN");
  });
});

test("the option wins over the annotation, which wins over auto", () => {
  expect(kind({ annotations: annotated("none") })).toBe("none");
  expect(kind({ annotations: annotated("seccomp"), ids: 65_536 })).toBe("seccomp");
  expect(kind({ annotations: annotated("none"), option: "seccomp" })).toBe("seccomp");
  expect(kind({ annotations: annotated("seccomp"), option: "none" })).toBe("none");
  expect(kind({ annotations: annotated("none"), option: "auto" })).toBe("seccomp");
});

test("a real root's calls are made, whatever was asked for; that is said", () => {
  const { emulation, warnings } = planRootEmulation({ ...single, realRoot: true, option: "seccomp" });
  expect(emulation).toEqual({ kind: "none" });
  expect(warnings).toEqual([
    "--root-emulation: root emulation stays off: the container's root is the machine's",
  ]);
});

test("what is asked for and cannot be had is refused, with what is missing", () => {
  const refused = (change: Partial<RootEmulationContext>) => () =>
    planRootEmulation({ ...single, ...change });
  expect(refused({ option: "seccomp", filters: false })).toThrow(
    "--root-emulation asks for seccomp, but this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
  );
  expect(refused({ annotations: annotated("seccomp"), mayLoad: false })).toThrow("CAP_SYS_ADMIN");
  expect(refused({ annotations: annotated("maybe") })).toThrow(
    'annotations["org.bunc.root-emulation"] is "maybe": it must be auto, seccomp, none, notify',
  );
  expect(refused({ annotations: annotated("notify"), filters: false })).toThrow("asks for notify, but");
});

test("apt is told to stay root in a file of the container's own /dev", () => {
  expect(planRootEmulation({ ...single, apt: true }).emulation).toEqual({
    kind: "seccomp",
    aptConfig: "/dev/.apt.conf",
  });
});

describe("notify", () => {
  test("is for those who ask by name", () => {
    expect(kind({ option: "notify" })).toBe("notify");
    expect(kind({ annotations: annotated("notify") })).toBe("notify");
    expect(kind({ option: "notify", realRoot: true })).toBe("none");
  });

  test("is refused where its supervisor would have more rights than the container; seccomp is not", () => {
    const root = { caller: { uid: 0, effective: 2n, mappedIds: 2 ** 32 - 1 }, owner: 100_000 };
    for (const change of [root, { ...root, owner: 0 }, { ids: 65_536 }]) {
      expect(() => kind({ option: "notify", ...change })).toThrow("--root-emulation asks for notify, but");
      expect(kind({ option: "seccomp", ...change })).toBe("seccomp");
      expect(kind({ option: "notify", ...change, realRoot: true })).toBe("none");
    }
  });

  test("cannot be beside another listener", () => {
    expect(() => kind({ option: "notify", agent: true })).toThrow(
      "--root-emulation asks for notify, but linux.seccomp has SCMP_ACT_NOTIFY, and a process has one listener",
    );
    expect(() => kind({ option: "notify", startHooks: true })).toThrow("hooks.startContainer");
    expect(kind({ option: "seccomp", agent: true, startHooks: true })).toBe("seccomp");
  });
});
