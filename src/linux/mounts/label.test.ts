import { describe, expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { splitData } from "./label.ts";
import { type MountContext, type PlannedMount, planMount } from "./plan.ts";
import { recordMount } from "./record.ts";

const label = "system_u:object_r:container_file_t:s0:c1,c2";
const quoted = `context="${label}"`;

const context: MountContext = {
  bundle: "/bundle",
  userNamespace: false,
  openEarly: false,
  links: new Map([["/link", "a/b"]]),
  ids: { kind: "inherit", uid: [], gid: [] },
  ownsMounts: true,
  directoryModes: new Map(),
  label,
  ownQueues: true,
  pidInherited: true,
  cgroupNamespace: false,
  cgroupView: { kind: "none" },
};

const plan = (type: string, options: string[] = [], changes: Partial<MountContext> = {}) =>
  planMount({ destination: "/a", type, source: "s", options }, 0, { ...context, ...changes });

/** The calls that make the mount, without those that attach it. */
function calls(mount: PlannedMount): string[] {
  const program = newProgram();
  recordMount(program, program.register("root", 9), mount, { instead: () => {}, copyUp: () => {} });
  return listing(program).map((line) => line.replace(/^@(mounts\[0\] )?/, ""));
}

describe("linux.mountLabel", () => {
  test.each(["tmpfs", "devpts", "overlay", "ramfs"])("is an option of a new %s", (type) => {
    expect(plan(type).source).toMatchObject({ parameters: [{ key: "context", value: label }] });
  });

  test.each(["proc", "sysfs", "mqueue"])("is no option of a %s", (type) => {
    expect(plan(type).source).toMatchObject({ parameters: [] });
  });

  test.each(["context", "fscontext", "defcontext", "rootcontext"])("gives way to the mount's %s", (name) => {
    expect(plan("tmpfs", [`${name}="u:r:t:s0:c3,c4"`]).source).toMatchObject({
      parameters: [{ key: name, value: "u:r:t:s0:c3,c4" }],
    });
  });

  test("keeps the quotes that mount(2) wants", () => {
    expect(plan("tmpfs", ["silent", "size=1k"]).source).toMatchObject({
      kind: "legacy",
      data: `size=1k,${quoted}`,
    });
  });

  test("leaves bind mounts as they are", () => {
    expect(plan("bind").source).toEqual({
      kind: "bind",
      path: "/bundle/s",
      recursive: true,
      nofollow: false,
    });
  });

  test("is set on the root directory of a mqueue, while it is no mount of anybody else's", () => {
    const made = calls(plan("mqueue"));
    const labelled = made.findIndex((line) => line.includes('setxattr(".", "security.selinux"'));
    expect(made[labelled - 1]).toContain("fchdir(tree of mounts[0])");
    // What stands in where a new one is not permitted is the machine's.
    expect(labelled).toBeGreaterThan(made.findIndex((line) => line.endsWith("made:")));
    expect(made.slice(labelled).join("\n")).not.toContain("/dev/mqueue");
  });

  test("is not set on a mqueue that the container shares with the caller", () => {
    expect(calls(plan("mqueue", [], { ownQueues: false })).join("\n")).not.toContain("setxattr");
  });

  test("is that of the directory of cgroup hierarchies", () => {
    expect(calls(plan("cgroup"))).toContainEqual(
      expect.stringContaining(`FSCONFIG_SET_STRING, "context", "${label}"`),
    );
  });

  test("none leaves no trace", () => {
    for (const type of ["tmpfs", "mqueue", "cgroup", "devpts"]) {
      expect(calls(plan(type, [], { label: "" })).join("\n")).not.toMatch(/context"|setxattr/);
    }
  });
});

test("options are split at commas, but not in quoted labels, nor where a comma is escaped", () => {
  expect(splitData(`size=1k,,${quoted},mode=755`)).toEqual(["size=1k", quoted, "mode=755"]);
  expect(splitData("lowerdir=/a\\,b:/c,upperdir=/d")).toEqual(["lowerdir=/a\\,b:/c", "upperdir=/d"]);
  expect(splitData('lowerdir=/a"b,x="y,z"')).toEqual(['lowerdir=/a"b', 'x="y', 'z"']);
  expect(splitData("end\\")).toEqual(["end\\"]);
  expect(splitData("")).toEqual([]);
});
