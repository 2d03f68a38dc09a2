// Trees of real files, as the kernel has them.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Limit, limit } from "./limit.ts";
import { writesIn } from "./request.ts";
import { writeLimits } from "./write.ts";

const top = mkdtempSync(join(tmpdir(), "bunc-write-"));
afterAll(() => rmSync(top, { recursive: true }));

const file = (name: string, text = "") => writeFileSync(join(top, name), text);
const read = (name: string) => readFileSync(join(top, name), "utf8");
const write = (...limits: Limit[]) => writeLimits(writesIn(top, limits));

test("where the kernel has the other file, that one is written", () => {
  const either = { ...limit("io.bfq.weight", 100, "p"), otherwise: { file: "io.weight", value: "910" } };
  file("io.weight");
  write(either);
  expect(read("io.weight")).toBe("910");
  file("io.bfq.weight");
  write(either);
  expect(read("io.bfq.weight")).toBe("100");
});

test("a file that the kernel lacks is named with what needs it, unless it can be done without", () => {
  write({ ...limit("missing", 1, "p"), dispensable: true });
  expect(() => write(limit("missing", 1, "linux.resources.blockIO.weight"))).toThrow(
    `linux.resources.blockIO.weight needs ${top}/missing, which this kernel does not have`,
  );
  const neither = { ...limit("missing", 1, "p"), otherwise: { file: "other", value: "2" } };
  expect(() => write(neither)).toThrow(`p needs ${top}/other, which this kernel does not have`);
});

test("a limit below what is used is refused before anything is written", () => {
  file("memory.current", "5000\n");
  file("memory.max", "max\n");
  file("pids.max", "max\n");
  const checked = { ...limit("memory.max", 4999, "linux.resources.memory.limit"), usage: ["memory.current"] };
  expect(() => write(limit("pids.max", 5, "p"), checked)).toThrow(
    "linux.resources.memory.limit is 4999, and the container uses 5000 already",
  );
  expect([read("memory.max"), read("pids.max")]).toEqual(["max\n", "max\n"]);
  write({ ...checked, value: "5000" });
  expect(read("memory.max")).toStartWith("5000");
  write({ ...checked, value: "max" });
});

test("what the kernel takes and forgets is no limit", () => {
  const kernel = { ...limit("kmem", 1000, "linux.resources.memory.kernel"), verified: true };
  // A longer number is left behind the one that is written, as if a larger one had stayed.
  file("kmem", "9223372036854771712\n");
  expect(() => write(kernel)).toThrow(/^linux\.resources\.memory\.kernel is not kept by this kernel/);
  file("kmem", "\n");
  write(kernel);
  expect(read("kmem")).toBe("1000");
});
