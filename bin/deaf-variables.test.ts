import { expect, test } from "bun:test";
import { planDeafness } from "./deaf-variables.ts";

test("every place of a name is changed, in tables without separators, too", () => {
  const program = Buffer.from("\0BUN_X\0tableBUN_XBUN_X_MORE\0process.env.BUN_X");
  const changes = planDeafness(program, ["BUN_X"]);
  for (const { offset, byte } of changes) program[offset] = byte;
  expect(program.toString()).toBe("\0BUN=X\0tableBUN=XBUN=X_MORE\0process.env.BUN_X");
});

test("a name that is not there stops the build", () => {
  expect(() => planDeafness(Buffer.from("BUN_X"), ["BUN_X", "BUN_Y"])).toThrow("there is no BUN_Y");
});
