import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oneLine, runHook, spawnHook } from "./apply.ts";
import type { HookState } from "./state.ts";

const bundle = realpathSync(mkdtempSync(join(tmpdir(), "hooks-")));
afterAll(() => rmSync(bundle, { recursive: true }));

const state: HookState = { ociVersion: "1.3.0", id: "c", status: "running", pid: 7, bundle, annotations: {} };

/** Runs a shell script as a hook. */
function run(
  script: string,
  options: { timeout?: number; env?: string[]; annotations?: Record<string, string> } = {},
): void {
  const { timeout = null, env = ["PATH=/bin:/usr/bin"], annotations = {} } = options;
  const hook = { origin: "hooks.prestart[0]", path: "/bin/sh", args: ["sh", "-c", script], env, timeout };
  runHook(hook, { ...state, annotations }, (streams) => spawnHook(hook, bundle, streams));
}

test("a hook gets the state, its own environment, and the bundle for its directory, which bunc leaves again", () => {
  const before = readlinkSync("/proc/self/cwd");
  run("{ cat; echo; pwd; echo $NAME; } > seen", { env: ["NAME=größe", "PATH=/bin:/usr/bin"] });
  expect(readFileSync(join(bundle, "seen"), "utf8")).toBe(
    `{"ociVersion":"1.3.0","id":"c","status":"running","pid":7,"bundle":"${bundle}"}\n${bundle}\ngröße\n`,
  );
  expect(readlinkSync("/proc/self/cwd")).toBe(before);
});

test("what hooks write is appended to the files that annotations name", () => {
  const files = { "run.oci.hooks.stdout": join(bundle, "out"), "run.oci.hooks.stderr": join(bundle, "err") };
  run("echo one; echo two >&2", { annotations: files });
  run("echo three", { annotations: files });
  expect(() => run("echo four >&2; exit 3", { annotations: files })).toThrow("exit status 3 (/bin/sh)");
  expect(readFileSync(join(bundle, "out"), "utf8")).toBe("one\nthree\n");
  expect(readFileSync(join(bundle, "err"), "utf8")).toBe("two\nfour\n");
  // One of the two: the other is quoted still.
  expect(() =>
    run("echo five; echo six >&2; exit 1", { annotations: { "run.oci.hooks.stdout": join(bundle, "out") } }),
  ).toThrow("exit status 1 (/bin/sh): six");
  expect(() => run("true", { annotations: { "run.oci.hooks.stderr": "/no/such/file" } })).toThrow(
    'annotations["run.oci.hooks.stderr"] names a file that cannot be opened',
  );
});

test("a hook need not read its input, however long", () => {
  run("exit 0", { annotations: { long: "x".repeat(300_000) } });
  run("exec wc -c > length", { annotations: { long: "x".repeat(300_000) } });
  expect(Number(readFileSync(join(bundle, "length"), "utf8"))).toBeGreaterThan(300_000);
});

test("a hook that fails says which it is, how it ended, and what it has said", () => {
  expect(() => run("echo one; echo two >&2; exit 3")).toThrow(
    "hooks.prestart[0] failed with exit status 3 (/bin/sh): one; two",
  );
  expect(() => run("kill -TERM $$")).toThrow("hooks.prestart[0] was ended by SIGTERM (/bin/sh)");
});

test("a hook that is too slow is killed", () => {
  const started = performance.now();
  expect(() => run("echo waiting; sleep 30", { timeout: 1 })).toThrow(
    "hooks.prestart[0] did not end within its timeout of 1 s and was killed (/bin/sh): waiting",
  );
  expect(performance.now() - started).toBeLessThan(5000);
});

test("what a hook leaves running is not waited for", () => {
  const started = performance.now();
  run("sleep 5 & exit 0");
  expect(performance.now() - started).toBeLessThan(3000);
});

test("of much output the end is kept", () => {
  const script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; echo the end; exit 1";
  try {
    run(script);
    expect.unreachable();
  } catch (error) {
    const { message } = error as Error;
    expect(message).toStartWith("hooks.prestart[0] failed with exit status 1 (/bin/sh): … 0123456789; ");
    expect(message).toEndWith("0123456789; the end");
    expect(message.length).toBeLessThan(1500);
  }
});

test("a hook that cannot be executed", () => {
  const hook = { origin: "hooks.poststop[2]", path: "/no/such", args: ["/no/such"], env: [], timeout: null };
  expect(() => runHook(hook, state, (streams) => spawnHook(hook, bundle, streams))).toThrow(
    "hooks.poststop[2] could not be executed (/no/such)",
  );
});

test("a bundle that is gone does not keep a hook from running", () => {
  const hook = { origin: "", path: "/bin/sh", args: ["sh", "-c", "[ $PWD = / ]"], env: [], timeout: null };
  runHook(hook, state, (streams) => spawnHook(hook, "/no/such", streams));
});

test("output becomes a part of a line, without sequences for terminals", () => {
  expect(oneLine("a\r\n\n  b\t\x1b[31mred\u009b\n")).toBe("a; b [31mred");
});
