import { expect, test } from "bun:test";
import { reasonsIn } from "./criu.ts";

test("the reasons are the errors of criu's log, without those that only follow and those that do no harm", () => {
  const log = [
    "(00.000100) Running on machine",
    "(00.031) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted",
    "(00.032) Warn  (criu/mount.c:1): something",
    "(00.033)      1: Error (criu/files-reg.c:2175): File /log has bad size 189 (expect 0)",
    "(00.034)      1: Error (criu/files.c:1221): Unable to open fd=2 id=0x4",
    "(00.035) Error (criu/files.c:1221): Unable to open fd=2 id=0x4",
    "(00.036) Error (criu/cr-restore.c:2320): Restoring FAILED.",
  ].join("\n");
  expect(reasonsIn(log)).toBe("File /log has bad size 189 (expect 0); Unable to open fd=2 id=0x4");
  expect(reasonsIn("")).toBe("");
});

test("no more than three, and nothing that a terminal would take for more than text", () => {
  const line = (text: string) => `(00.1) Error (criu/x.c:1): ${text}`;
  expect(reasonsIn(["a", "b", "c", "d"].map(line).join("\n"))).toBe("a; b; c");
  expect(reasonsIn(line("red \u001b[31m"))).toBe("red  [31m");
});
