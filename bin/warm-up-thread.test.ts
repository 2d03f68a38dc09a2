import { expect, test } from "bun:test";
import { planPostponement } from "./warm-up-thread.ts";

const x64 = "48b8200000004000000048890511223344" + "48b80000000000002440";
const arm64 = "090480d20908c0f2";

function executable(machine: number, ...code: string[]): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt16LE(machine, 18);
  return Buffer.concat([header, ...code.map((hex) => Buffer.from(hex, "hex"))]);
}

function patched(program: Buffer): string {
  const { offset, bytes } = planPostponement(program);
  program.set(bytes, offset);
  return program.subarray(64).toString("hex");
}

test("the thread begins with 65,535 blocks in place of 64", () => {
  expect(patched(executable(62, "90", x64))).toBe(`90${x64.replace("40000000488905", "ffff0000488905")}`);
  // mov x9, #32; movk x9, #65535, lsl #32
  expect(patched(executable(183, "1f2003d5", arm64))).toBe("1f2003d5090480d2e9ffdff2");
});

test("what is not certain is refused", () => {
  expect(() => planPostponement(executable(62, "90"))).toThrow("no place sets");
  expect(() => planPostponement(executable(62, x64, x64))).toThrow("several places set");
  expect(() => planPostponement(executable(183, x64))).toThrow("no place sets");
  expect(() => planPostponement(executable(8, x64))).toThrow("unknown processor");
});

test("it is the number that Bun has by itself", () => {
  const env = { ...process.env, BUN_JSC_dumpOptions: "3" };
  const { stderr } = Bun.spawnSync([process.execPath, "-e", "0"], { env });
  expect(stderr.toString()).toContain(" warmUpMarkedBlockStartAfterBlocks=64 ");
});
