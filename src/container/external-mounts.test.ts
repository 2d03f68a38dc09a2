import { expect, test } from "bun:test";
import { planMount } from "../linux/mounts/plan.ts";
import type { Config, Mount } from "../spec/types.ts";
import { dumpedMounts, parseMountinfo, restoredMounts } from "./external-mounts.ts";

const config = (mounts: Mount[], linux: Config["linux"] = {}): Config => ({
  ociVersion: "1.0.2",
  root: { path: "rootfs" },
  mounts,
  linux,
});

const entries = (...lines: string[]) =>
  parseMountinfo(lines.map((line, index) => `${index + 10} 1 0:5 ${line} src rw`).join("\n"));

const itself = (path: string) => path;

test("a line of mountinfo", () => {
  const text =
    "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n";
  expect(parseMountinfo(text)).toEqual([{ id: 36, root: "/mnt1", mountpoint: "/mnt 2", type: "ext3" }]);
});

test("bind mounts are named by their destinations, wherever links of the image lead", () => {
  const found = dumpedMounts(
    config([
      { destination: "/data", source: "/srv", options: ["rbind"] },
      { destination: "/tmp", type: "tmpfs" },
      { destination: "/run/x", type: "bind", source: "/x" },
    ]),
    entries(
      "/ / rw - ext4",
      "/srv /data rw - ext4",
      "/ /data/sub rw - tmpfs",
      "/ /tmp rw - tmpfs",
      "/x /var/run/x rw - ext4",
    ),
    (path) => (path === "/run/x" ? "/var/run/x" : path),
  );
  expect(found).toEqual([
    { key: "/data", value: "/data" },
    { key: "/data/sub", value: "/data/sub" },
    { key: "/var/run/x", value: "/run/x" },
  ]);
});

test("a mount of the container's own beneath a bind mount is no external one", () => {
  const mounts: Mount[] = [
    { destination: "/data", source: "/srv", options: ["bind"] },
    { destination: "/data/cache", type: "tmpfs" },
  ];
  const found = dumpedMounts(
    config(mounts),
    entries("/srv /data rw - ext4", "/ /data/cache rw - tmpfs"),
    itself,
  );
  expect(found).toEqual([{ key: "/data", value: "/data" }]);
});

test("masks of files have one name; those of directories are the container's own", () => {
  const found = dumpedMounts(
    config([{ destination: "/data", source: "/srv", options: ["bind"] }], {
      maskedPaths: ["/proc/keys", "/proc/acpi", "/data/secret"],
    }),
    entries(
      "/null /proc/keys rw - devtmpfs",
      "/ /proc/acpi ro - tmpfs",
      "/srv /data rw - ext4",
      "/null /data/secret rw - devtmpfs",
      "/null /dev/null rw - devtmpfs",
    ),
    itself,
  );
  expect(found).toEqual([
    { key: "/proc/keys", value: "/dev/null" },
    { key: "/data", value: "/data" },
    { key: "/data/secret", value: "/dev/null" },
    { key: "/dev/null", value: "/dev/null" },
  ]);
});

test("cgroups are external where the container sees its part by bind mounts", () => {
  const mounts: Mount[] = [{ destination: "/sys/fs/cgroup", type: "cgroup" }];
  const lines = entries("/ /sys/fs/cgroup ro - tmpfs", "/bunc-c /sys/fs/cgroup/pids ro - cgroup");
  expect(dumpedMounts(config(mounts), lines, itself)).toEqual([
    { key: "/sys/fs/cgroup/pids", value: "/sys/fs/cgroup/pids" },
  ]);
  expect(dumpedMounts(config(mounts, { namespaces: [{ type: "cgroup" }] }), lines, itself)).toEqual([]);
});

test("what is restored has a path for every name", () => {
  const context = {
    bundle: "/b",
    userNamespace: false,
    openEarly: false,
    links: new Map(),
    ids: { kind: "inherit", uid: [], gid: [] },
    ownsMounts: true,
    directoryModes: new Map(),
    label: "",
    ownQueues: true,
    pidInherited: false,
    cgroupNamespace: false,
    cgroupView: {
      kind: "v1",
      hierarchies: [
        { directory: "pids", path: "/sys/fs/cgroup/pids/c", options: "pids", type: "cgroup", links: [] },
      ],
    },
  } as const;
  const mounts = [
    { destination: "/data", source: "/srv", options: ["rbind"] },
    { destination: "/etc/hosts", source: "hosts", options: ["bind"] },
    { destination: "/sys/fs/cgroup", type: "cgroup" },
  ].map((mount, index) => planMount(mount, index, context));
  const found = restoredMounts(
    {
      mounts,
      masks: { masked: ["/proc/keys"], readonly: ["/data/fixed", "/proc/sys"], label: "" },
      devices: { way: "create", nodes: [], links: [] },
    },
    (source) => (source === "/srv" ? [{ key: "/sub", value: "/srv/sub" }] : []),
    "/state/notify",
  );
  expect(Object.fromEntries(found.map(({ key, value }) => [key, value]))).toEqual({
    "/run/notify": "/state/notify",
    "/data": "/srv",
    "/data/sub": "/srv/sub",
    "/data/fixed": "/srv/fixed",
    "/etc/hosts": "/b/hosts",
    "/sys/fs/cgroup/pids": "/sys/fs/cgroup/pids/c",
    "/dev/null": "/dev/null",
  });
});
