import { expect, test } from "bun:test";
import { parseConfig } from "../../spec/parse.ts";
import { annotateSeccomp } from "./annotations.ts";

const config = (seccomp: object, annotations: Record<string, string> = {}) =>
  parseConfig(
    new TextEncoder().encode(
      JSON.stringify({
        ociVersion: "1.0.2",
        root: { path: "rootfs" },
        annotations,
        linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", ...seccomp } },
      }),
    ),
  );
const pathOf = (...args: Parameters<typeof annotateSeccomp>) =>
  annotateSeccomp(...args).linux?.seccomp?.listenerPath;

test("the agent's socket: the property, then the annotation, then the variable", () => {
  const annotations = { "run.oci.seccomp.receiver": "/annotation" };
  expect(pathOf(config({ listenerPath: "/property" }, annotations), "/variable")).toBe("/property");
  expect(pathOf(config({}, annotations), "/variable")).toBe("/annotation");
  expect(pathOf(config({}), "/variable")).toBe("/variable");
  expect(pathOf(config({}), "")).toBe(undefined);
});

test("nothing is changed that nobody asked for", () => {
  const plain = config({ syscalls: [{ names: ["nosuch"], action: "SCMP_ACT_LOG" }] });
  expect(annotateSeccomp(plain, undefined)).toBe(plain);
});

test("names that do not exist are refused where the annotation is there", () => {
  const annotations = { "run.oci.seccomp_fail_unknown_syscall": "1" };
  const rules = (...names: string[]) => ({ syscalls: [{ names, action: "SCMP_ACT_LOG" }] });
  // Of x86, of arm, and of every machine.
  expect(() =>
    annotateSeccomp(config(rules("waitpid", "set_tls", "read"), annotations), undefined),
  ).not.toThrow();
  expect(() => annotateSeccomp(config(rules("read", "nosuch"), annotations), undefined)).toThrow(
    'linux.seccomp.syscalls[0].names[1] is "nosuch"',
  );
});
