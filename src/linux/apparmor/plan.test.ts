import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { planApparmor } from "./plan.ts";
import { recordProfile } from "./record.ts";

test("a profile is kept where AppArmor is enabled, unconfined as well", () => {
  expect(
    ["p", "unconfined", ":ns:p", "", undefined].map((name) => planApparmor(name, { enabled: true })),
  ).toEqual(["p", "unconfined", ":ns:p", "", ""]);
});

test("where it is not, a profile is an error, and unconfined is what everybody is", () => {
  expect(() => planApparmor("p", { enabled: false })).toThrow(
    'process.apparmorProfile is "p", but AppArmor is not enabled here',
  );
  expect(["unconfined", "", undefined].map((name) => planApparmor(name, { enabled: false }))).toEqual([
    "",
    "",
    "",
  ]);
});

test("the profile is asked for in AppArmor's own file, or in the one that older kernels share", () => {
  const program = newProgram();
  recordProfile(program, "containers default");
  expect(listing(program).map((line) => line.replace("@process.apparmorProfile ", ""))).toEqual([
    'apparmor/exec=openat(AT_FDCWD, "/proc/thread-self/attr/apparmor/exec", O_WRONLY|O_CLOEXEC, 00) !ENOENT ≠0→apparmor/exec opened',
    'apparmor/exec=openat(AT_FDCWD, "/proc/thread-self/attr/exec", O_WRONLY|O_CLOEXEC, 00)',
    "apparmor/exec opened:",
    "fstatfs(apparmor/exec, {120 bytes})",
    "expect({120 bytes} & 0xffffffff == 0x9fa0, EOPNOTSUPP)",
    'write(apparmor/exec, "exec containers default", 23)',
    "close(apparmor/exec)",
  ]);
});

test("no profile asks for nothing", () => {
  const program = newProgram();
  recordProfile(program, "");
  expect(listing(program)).toEqual([]);
});
