import { expect, test } from "bun:test";
import { planIntelRdt } from "./plan.ts";

const context = { id: "box", mountpoint: "/sys/fs/resctrl" };

function plan(intelRdt: Parameters<typeof planIntelRdt>[0]) {
  const planned = planIntelRdt(intelRdt, context);
  if (!planned) throw new Error("nothing was planned");
  return planned;
}

test("nothing is asked for", () => {
  expect(planIntelRdt(undefined, { ...context, mountpoint: "" })).toBeNull();
});

test("without resctrl everything is refused", () => {
  expect(() => planIntelRdt({}, { ...context, mountpoint: "" })).toThrow(
    "linux.intelRdt needs the resctrl file system, which is not mounted",
  );
});

test("a class of the container's own, one by name, one that must be there, the default one", () => {
  const l3CacheSchema = "L3:0=f";
  const cases = [
    plan({}),
    plan({ closID: "gold", l3CacheSchema }),
    plan({ closID: "gold", enableMonitoring: true }),
    plan({ closID: "/", l3CacheSchema, enableMonitoring: true }),
  ];
  expect(cases.map(({ path, kind, monitor }) => [path, kind, monitor])).toEqual([
    ["/sys/fs/resctrl/box", "own", ""],
    ["/sys/fs/resctrl/gold", "shared", ""],
    ["/sys/fs/resctrl/gold", "given", "/sys/fs/resctrl/gold/mon_groups/box"],
    ["/sys/fs/resctrl", "given", "/sys/fs/resctrl/mon_groups/box"],
  ]);
});

test("schemata: both schemas in one write, without the bandwidth of the first; then the others", () => {
  expect(
    plan({
      l3CacheSchema: "L3:0=f\nMB:0=10\nL2:0=1",
      memBwSchema: "MB:0=20",
      schemata: ["L3:1=3", "MB:1=50"],
    }).schemata,
  ).toEqual([
    { text: "L3:0=f\nL2:0=1\nMB:0=20\n", property: "linux.intelRdt" },
    { text: "L3:1=3\nMB:1=50\n", property: "linux.intelRdt.schemata" },
  ]);
  expect(plan({ l3CacheSchema: "L3:0=f\nMB:0=10" }).schemata).toEqual([
    { text: "L3:0=f\nMB:0=10\n", property: "linux.intelRdt.l3CacheSchema" },
  ]);
  expect(plan({ memBwSchema: "MB:0=10" }).schemata[0]?.property).toBe("linux.intelRdt.memBwSchema");
  expect(plan({ closID: "gold", schemata: [] }).schemata).toEqual([]);
});
