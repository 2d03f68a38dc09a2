import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepCallerLimits } from "./caller-limits.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "bunc-caller-limits-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The limit of open files that a Bun passes on, when it is called with the soft limit 300. */
function passedOn(bun: string): string {
  const program = `Bun.spawnSync(["sh", "-c", "ulimit -Sn"], { stdio: ["ignore", "inherit", "inherit"] })`;
  const script = `ulimit -Sn 300 && exec "$0" -e '${program}'`;
  const { stdout } = Bun.spawnSync(["sh", "-c", script, bun], { cwd: directory, stderr: "inherit" });
  return stdout.toString().trim();
}

test("Bun raises the soft limit of open files, and does not once its executable is changed", () => {
  const copy = join(directory, "bun");
  copyFileSync(process.execPath, copy);
  expect(Number(passedOn(copy))).toBeGreaterThan(300);
  keepCallerLimits(copy);
  expect(passedOn(copy)).toBe("300");
});

test("an executable of another make is left as it is, and the error names it", () => {
  const script = join(directory, "script");
  writeFileSync(script, "#!/bin/sh\n");
  expect(() => keepCallerLimits(script)).toThrow(`${script} would change the caller's limit of open files`);
  expect(readFileSync(script, "utf8")).toBe("#!/bin/sh\n");
});
