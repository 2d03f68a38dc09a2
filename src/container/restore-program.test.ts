import { expect, test } from "bun:test";
import { listing } from "../../ffi/program/listing.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { type MountContext, planMount } from "../linux/mounts/plan.ts";
import { planNamespaces } from "../linux/namespaces/plan.ts";
import { planRootfs } from "../linux/rootfs/plan.ts";
import type { Mount, NamespaceType } from "../spec/types.ts";
import { recordRestore } from "./restore-program.ts";

const context: MountContext = {
  bundle: "/b",
  userNamespace: false,
  openEarly: false,
  ids: { kind: "inherit", uid: [], gid: [] },
  ownsMounts: true,
  directoryModes: new Map(),
  label: "",
  ownQueues: true,
  pidInherited: false,
  cgroupNamespace: false,
  cgroupView: { kind: "none" },
  links: new Map(),
};

const cgroup: CgroupRecord = {
  kind: "v1",
  directories: [
    { controllers: "pids", path: "/cg/pids/c" },
    { controllers: "", path: "/cg/unified/c" },
  ],
};

function recorded(
  types: NamespaceType[],
  mounts: Mount[] = [],
  ownCgroup: CgroupRecord | null = null,
): string[] {
  const program = recordRestore(
    {
      namespaces: planNamespaces(types.map((type) => ({ type }))),
      rootfs: planRootfs("/b/rootfs", false, undefined, "pivot", false),
      mounts: mounts.map((mount, index) => planMount(mount, index, context)),
    },
    {
      report: 5,
      keep: [7],
      cgroup: ownCgroup,
      root: "/s/root",
      criu: "/criu",
      args: ["criu", "swrk", "7"],
      env: [],
    },
  );
  return [...listing(program)].map((line) => line.replace(/^\s*\d+\s+/, ""));
}

const with_ = (lines: string[], text: string) => lines.filter((line) => line.includes(text));

test("nobody else sees the root that criu gets; what failed is told until criu is there", () => {
  const lines = recorded(["mount"]);
  const order = [
    "close_range(3, 4",
    "close_range(6, 6",
    "close_range(8,",
    "F_SETFD, 1",
    "unshare(CLONE_NEWNS)",
    "MS_SLAVE",
  ];
  const places = order.map((text) => lines.findIndex((line) => line.includes(text)));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(with_(lines, "umount2(")).toHaveLength(1);
  expect(with_(lines, "move_mount(")).toHaveLength(2);
  expect(lines.at(-1)).toContain('execve("/criu"');
});

test("without a mount namespace of its own the container is restored among the caller's mounts", () => {
  const lines = recorded(["pid"]);
  expect(with_(lines, "unshare(")).toEqual([]);
  expect(with_(lines, "mount")).toEqual([]);
});

test("criu enters the container's cgroups of both versions", () => {
  const lines = recorded(["mount"], [], cgroup);
  expect(with_(lines, "/cg/pids/c/tasks")).toHaveLength(1);
  expect(with_(lines, "/cg/unified/c/cgroup.procs")).toHaveLength(1);
});

test("mount points are made, but for those in file systems that come back with their content", () => {
  const lines = recorded(
    ["mount"],
    [
      { destination: "/proc", type: "proc" },
      { destination: "/dev", type: "tmpfs" },
      { destination: "/dev/pts", type: "devpts" },
      { destination: "/data", source: "/srv", options: ["bind"] },
      { destination: "/data/sub", source: "/other", options: ["bind"] },
    ],
  );
  expect(with_(lines, '"/proc"').length).toBeGreaterThan(0);
  expect(with_(lines, '"/dev"').length).toBeGreaterThan(0);
  expect(with_(lines, "/dev/pts")).toEqual([]);
  // Only what is bound is mounted: in it other mount points have to be made.
  expect(with_(lines, "fsopen")).toEqual([]);
  expect(with_(lines, 'open_tree(AT_FDCWD, "/srv"')).toHaveLength(1);
  expect(with_(lines, '"/data/sub"').length).toBeGreaterThan(0);
});
