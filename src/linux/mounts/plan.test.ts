import { describe, expect, test } from "bun:test";
import { MOUNT_ATTR, MS } from "../../../ffi/constants/mount.ts";
import { cleanPath } from "../../spec/path.ts";
import { type MountContext, planMount } from "./plan.ts";

const context: MountContext = {
  bundle: "/bundle",
  userNamespace: false,
  openEarly: false,
  links: new Map([["/link", "a/b"]]),
  ids: { kind: "inherit", uid: [], gid: [] },
  ownsMounts: true,
  directoryModes: new Map(),
  label: "",
  ownQueues: true,
  pidInherited: false,
  cgroupNamespace: false,
  cgroupView: { kind: "none" },
};

const plan = (mount: Parameters<typeof planMount>[0], changes: Partial<MountContext> = {}) =>
  planMount(mount, 3, { ...context, ...changes });

describe("options", () => {
  test("a later option wins over an earlier one on the same bits", () => {
    const { attributes } = plan({ destination: "/a", source: "/b", options: ["bind", "ro", "nosuid", "rw"] });
    expect(attributes).toEqual({ set: MOUNT_ATTR.NOSUID, clear: MOUNT_ATTR.RDONLY });
  });

  test("access times are one field: naming one clears the others", () => {
    const { attributes } = plan({
      destination: "/a",
      source: "/b",
      options: ["bind", "noatime", "strictatime"],
    });
    expect(attributes.set).toBe(MOUNT_ATTR.STRICTATIME);
    expect(
      plan({ destination: "/a", source: "/b", options: ["bind", "noatime", "relatime"] }).attributes,
    ).toEqual({
      set: 0,
      clear: MOUNT_ATTR._ATIME,
    });
  });

  test("recursive attributes are kept apart", () => {
    const mount = plan({ destination: "/a", source: "/b", options: ["rbind", "rro", "nodev"] });
    expect(mount.recursiveAttributes).toEqual({ set: MOUNT_ATTR.RDONLY, clear: 0 });
    expect(mount.attributes).toEqual({ set: MOUNT_ATTR.NODEV, clear: 0 });
  });

  test("propagation types are applied in their order", () => {
    expect(
      plan({ destination: "/a", source: "/b", options: ["bind", "slave", "rshared"] }).propagation,
    ).toEqual([
      { flag: MS.SLAVE, recursive: false },
      { flag: MS.SHARED, recursive: true },
    ]);
  });

  test("what is not in the table is the file system's own", () => {
    const { source } = plan({
      destination: "/t",
      type: "tmpfs",
      source: "tmpfs",
      options: ["size=64k,mode=755", "noswap"],
    });
    expect(source).toMatchObject({
      kind: "filesystem",
      parameters: [
        { key: "size", value: "64k" },
        { key: "mode", value: "755" },
        { key: "noswap", value: null },
      ],
    });
  });

  test("a value too long for fsconfig goes through mount(2)", () => {
    const lower = `lowerdir=${"/very/long/path:".repeat(20)}/end`;
    expect(
      plan({ destination: "/o", type: "overlay", source: "overlay", options: [lower, "ro"] }).source,
    ).toEqual({
      kind: "legacy",
      type: "overlay",
      source: "overlay",
      flags: MS.RDONLY,
      data: lower,
      rootLabel: "",
      copyUp: false,
    });
  });

  test("extensions are for one kind of mount", () => {
    const bind = (...options: string[]) =>
      plan({ destination: "/a", source: "/link", options: ["bind", ...options] });
    const tmpfs = (...options: string[]) => plan({ destination: "/a", type: "tmpfs", options });
    expect(tmpfs("tmpcopyup").source).toMatchObject({ kind: "filesystem", copyUp: true });
    expect(tmpfs("tmpcopyup", "silent").source).toMatchObject({ kind: "legacy", copyUp: true });
    expect(tmpfs().source).toMatchObject({ copyUp: false });
    expect(bind("src-nofollow").source).toMatchObject({ nofollow: true });
    expect(bind("dest-nofollow").targetNofollow).toBe(true);
    expect(bind("copy-symlink").source).toEqual({ kind: "symlink", text: "a/b" });
    expect(bind().source).toMatchObject({ kind: "bind", nofollow: false });
    expect(() => bind("tmpcopyup")).toThrow("mounts[3].options[1] is tmpcopyup, which fills a new tmpfs");
    expect(() => plan({ destination: "/a", type: "proc", options: ["tmpcopyup"] })).toThrow("tmpcopyup");
    expect(() => tmpfs("ro", "src-nofollow")).toThrow(
      "mounts[3].options[1] is src-nofollow, which is for bind",
    );
  });

  test("what has no effect on a mount is told", () => {
    const bind = plan({
      destination: "/a",
      source: "/b",
      options: ["bind", "sync", "async", "iversion", "size=1"],
    });
    expect(bind.ignored).toEqual(["sync", "iversion", "size=1"]);
    expect(plan({ destination: "/a", type: "tmpfs", options: ["sync", "size=1"] }).ignored).toEqual([]);
    expect(plan({ destination: "/a", options: ["remount", "size=1"] })).toMatchObject({
      source: { kind: "remount", parameters: [{ key: "size", value: "1" }] },
      ignored: [],
    });
  });

  test("propagation alone changes what is mounted there", () => {
    expect(plan({ destination: "/a", options: ["rslave"] })).toMatchObject({
      source: { kind: "remount", parameters: [] },
      propagation: [{ flag: MS.SLAVE, recursive: true }],
    });
  });

  test("a relative one is seen from the bundle", () => {
    expect(plan({ destination: "/a", source: "data", options: ["rbind"] }).source).toEqual({
      kind: "bind",
      path: "/bundle/data",
      recursive: true,
      nofollow: false,
    });
  });

  test("a bind mount needs one", () => {
    expect(() => plan({ destination: "/a", options: ["bind"] })).toThrow("mounts[3].source is missing");
  });

  test("a tmpfs without a mode has that of the directory it covers", () => {
    const mount = { destination: "/t", type: "tmpfs", source: "tmpfs" };
    expect(plan(mount, { directoryModes: new Map([["/t", 0o751]]) }).source).toMatchObject({
      parameters: [{ key: "mode", value: "751" }],
    });
  });

  test("cgroups are read-only for a mapped root without a cgroup namespace (CVE-2023-25809)", () => {
    const mount = { destination: "/sys/fs/cgroup", type: "cgroup" };
    expect(plan(mount, { userNamespace: true }).source).toMatchObject({ readonly: true });
    expect(plan(mount, { userNamespace: true, cgroupNamespace: true }).source).toMatchObject({
      readonly: false,
    });
  });

  test("the caller's /proc may stand in only where the container has the caller's processes", () => {
    const mount = { destination: "/proc", type: "proc", source: "proc" };
    expect(plan(mount).source).toMatchObject({ fallback: { path: "" } });
    expect(plan(mount, { pidInherited: true }).source).toMatchObject({ fallback: { path: "/proc" } });
  });
});

describe("targets", () => {
  test("are absolute and clean", () => {
    expect(cleanPath("a//b/./c/../d")).toBe("/a/b/d");
    expect(cleanPath("/../../etc")).toBe("/etc");
    expect(cleanPath("")).toBe("/");
  });

  test("inside /proc are refused, but for what lxcfs gives (CVE-2019-16884)", () => {
    const bind = (destination: string) => plan({ destination, source: "/x", options: ["bind"] });
    expect(() => bind("/proc/self/attr")).toThrow("mounts inside /proc are refused");
    expect(() => bind("/x/../proc")).toThrow("only a proc file system");
    expect(bind("/proc/meminfo").target).toBe("/proc/meminfo");
  });
});
