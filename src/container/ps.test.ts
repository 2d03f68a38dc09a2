import { expect, test } from "bun:test";
import { selectProcesses } from "./ps.ts";

test("the lines of some processes, wherever the column PID is", () => {
  const table =
    "UID        PID  PPID CMD\nroot         1     0 init 12\nroot        12     1 sh\nroot       112    12 sh\n";
  expect(selectProcesses(table, [12])).toBe("UID        PID  PPID CMD\nroot        12     1 sh\n");
  expect(selectProcesses("  PID CMD\n    7 a\n    8 b\n", [7, 8])).toBe("  PID CMD\n    7 a\n    8 b\n");
  expect(selectProcesses("  PID CMD\n    7 a\n", [])).toBe("  PID CMD\n");
});

test("a table without process ids is refused", () => {
  expect(() => selectProcesses("CMD\nsh\n", [1])).toThrow('has no column PID: "CMD"');
});
