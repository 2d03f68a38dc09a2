import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { isSelinuxEnabled } from "./enabled.ts";
import { planSelinux } from "./plan.ts";
import { recordProcessLabel } from "./record.ts";

const processLabel = "system_u:system_r:container_t:s0:c1,c2";
const mountLabel = "system_u:object_r:container_file_t:s0:c1,c2";

test("labels are kept where SELinux is enabled", () => {
  expect(planSelinux(processLabel, mountLabel, { enabled: true })).toEqual({
    selinux: { process: processLabel, mount: mountLabel },
    warnings: [],
  });
});

test("where it is not, no label is set, and each that was asked for is named", () => {
  const { selinux, warnings } = planSelinux(processLabel, mountLabel, { enabled: false });
  expect(selinux).toEqual({ process: "", mount: "" });
  expect(warnings.map((warning) => warning.split(" ")[0])).toEqual([
    "process.selinuxLabel",
    "linux.mountLabel",
  ]);
  expect(planSelinux("", mountLabel, { enabled: false }).warnings).toHaveLength(1);
});

test("a label cannot end the quotes around it", () => {
  expect(() => planSelinux("", 'a",size=1', { enabled: true })).toThrow("linux.mountLabel is");
});

// Lines of the kernel's format, as on Fedora; the second is that of an outer container that may not change labels.
const rootMount = "25 1 0:23 / / rw,relatime shared:1 - xfs /dev/vda4 rw,seclabel,attr2";
const writable = "37 28 0:22 / /sys/fs/selinux rw,nosuid,noexec,relatime shared:9 - selinuxfs selinuxfs rw";
const readonly = "41 30 0:22 / /sys/fs/selinux ro,nosuid,noexec,relatime - selinuxfs selinuxfs rw";
const current = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0";

test("SELinux is enabled where its file system can be written and a policy is loaded", () => {
  const mounts = (...lines: string[]) => `${lines.join("\n")}\n`;
  expect(isSelinuxEnabled(mounts(rootMount, writable), current)).toBe(true);
  expect(isSelinuxEnabled(mounts(rootMount, readonly), current)).toBe(false);
  expect(isSelinuxEnabled(mounts(rootMount, readonly, writable), current)).toBe(true);
  expect(isSelinuxEnabled(mounts(rootMount, writable.replace(/rw$/, "ro")), current)).toBe(false);
  expect(isSelinuxEnabled(mounts(rootMount, writable), "kernel\0")).toBe(false);
  expect(isSelinuxEnabled(mounts(rootMount), "")).toBe(false);
  expect(isSelinuxEnabled(mounts(rootMount.replace("/ /", "/ /selinuxfs")), "")).toBe(false);
  expect(isSelinuxEnabled("", "")).toBe(false);
});

test("the label is asked for through a file that is one of procfs", () => {
  const program = newProgram();
  recordProcessLabel(program, { process: "u:r:t:s0", mount: "" }, false);
  expect(listing(program)).toEqual([
    '@process.selinuxLabel exec=openat(AT_FDCWD, "/proc/thread-self/attr/exec", O_WRONLY|O_CLOEXEC, 00)',
    "exec opened:",
    "@process.selinuxLabel fstatfs(exec, {120 bytes})",
    "@process.selinuxLabel expect({120 bytes} & 0xffffffff == 0x9fa0, EOPNOTSUPP)",
    '@process.selinuxLabel write(exec, "u:r:t:s0", 8)',
    "@process.selinuxLabel close(exec)",
  ]);
});

test("a keyring of its own gets the same label; without one there is nothing more to label", () => {
  const files = (keyring: boolean) => {
    const program = newProgram();
    recordProcessLabel(program, { process: "u:r:t:s0", mount: "m" }, keyring);
    return listing(program)
      .filter((line) => line.includes("openat"))
      .map((line) => /attr\/\w+/.exec(line)?.[0]);
  };
  expect(files(true)).toEqual(["attr/exec", "attr/keycreate"]);
  expect(files(false)).toEqual(["attr/exec"]);
});

test("no label asks for nothing", () => {
  const program = newProgram();
  recordProcessLabel(program, { process: "", mount: mountLabel }, true);
  expect(listing(program)).toEqual([]);
});
