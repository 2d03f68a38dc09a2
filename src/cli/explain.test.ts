import { expect, test } from "bun:test";
import { ERRNO } from "../../ffi/constants/errno.ts";
import { errnoText } from "../../ffi/errno-text.ts";
import { SyscallError } from "../../ffi/error.ts";
import { StateError } from "../state/error.ts";
import { explain } from "./explain.ts";
import { findHint, hints } from "./hints/find.ts";

test("a plain error is its message", () => {
  expect(explain(new StateError("missing", 'container "c" does not exist'))).toBe(
    'container "c" does not exist',
  );
  expect(explain("thrown")).toBe("thrown");
  expect(explain(undefined)).toBe("an error without a message");
  expect(explain(new RangeError())).toBe("RangeError");
  expect(explain(new TypeError("x is not a function"))).toBe("internal error: x is not a function");
});

test("causes follow, each said once", () => {
  const inner = new Error("the disk is full");
  expect(explain(new Error("could not commit", { cause: inner }))).toBe("could not commit: the disk is full");
  expect(explain(new Error("could not commit: the disk is full", { cause: inner }))).toBe(
    "could not commit: the disk is full",
  );
  const loop = new Error("round");
  loop.cause = loop;
  expect(explain(loop)).toBe("round");
});

test("a failed call is printed with its error number, the usual cause and the cure", () => {
  const call = new SyscallError("pivot_root", ERRNO.EINVAL, 'pivot_root(".", ".")');
  expect(explain(new Error("root", { cause: call }))).toBe(
    'root: pivot_root(".", "."): EINVAL (Invalid argument); the root file system of the machine is an initramfs, which cannot be put aside; pass --no-pivot',
  );
  const unknown = new SyscallError("getpid", ERRNO.EIO, "getpid()");
  expect(explain(unknown)).toBe("getpid(): EIO (Input/output error)");
});

test("the whole text decides between hints of one call", () => {
  const mount = (what: string) => findHint("fsmount", ERRNO.EPERM, what)?.cure;
  expect(mount('mounts[0]: "proc"')).toContain("binds the /proc around it");
  expect(mount('mounts[5]: "sysfs"')).toContain("bind-mount /sys");
  expect(mount('mounts[2]: "tmpfs"')).toContain("run as root");
});

test("what is wrong with config.json itself is not looked for in the container", () => {
  const cannot = "config.json cannot be read (/b/config.json): openat(…)";
  expect(findHint("openat", ERRNO.ELOOP, cannot)?.cause).toContain("leads to itself");
  expect(findHint("read", ERRNO.EISDIR, cannot)?.cause).toContain("a directory is in its place");
  expect(findHint("openat", ERRNO.ELOOP, "mounts[0]")?.cure).toContain("the container's root file system");
});

test("every hint is found by its own call, and is one clause", () => {
  for (const hint of hints) {
    for (const text of [hint.cause, hint.cure]) expect(text).toMatch(/^[^\n;]*[^.\n;]$/);
    if (hint.when) continue;
    for (const call of hint.calls) expect(findHint(call, ERRNO[hint.errno], "")).toBeDefined();
  }
});

// podman makes exit statuses of these words.
const matched =
  /permission denied|operation not permitted|executable file not found in|no such file or directory|open executable/i;

test("no hint has words that callers look for; the error numbers' own texts have", () => {
  for (const { cause, cure } of hints) expect(`${cause} ${cure}`).not.toMatch(matched);
  for (const errno of [ERRNO.EPERM, ERRNO.EACCES, ERRNO.ENOENT]) expect(errnoText(errno)).toMatch(matched);
});
