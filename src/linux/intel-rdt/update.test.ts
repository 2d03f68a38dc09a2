import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { planIntelRdt } from "./plan.ts";
import { updateClass } from "./update.ts";

const top = mkdtempSync("/tmp/bunc-test-rdt-");
afterAll(() => rmSync(top, { recursive: true }));

test("the schemata go to the container's own class, whatever it is named", () => {
  const plan = planIntelRdt(
    { l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=20" },
    { id: "c", mountpoint: "/r" },
  );
  if (!plan) throw new Error("nothing was planned");
  writeFileSync(join(top, "schemata"), "");
  updateClass({ path: top, made: "own", monitor: "" }, plan);
  expect(readFileSync(join(top, "schemata"), "utf8")).toBe("L3:0=f\nMB:0=20\n");
  expect(() => updateClass({ path: top, made: "given", monitor: "" }, plan)).toThrow("others may be in it");
  expect(() => updateClass({ path: join(top, "gone"), made: "own", monitor: "" }, plan)).toThrow(
    /^linux\.intelRdt could not be set/,
  );
});
