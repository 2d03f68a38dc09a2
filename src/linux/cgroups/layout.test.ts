import { expect, test } from "bun:test";
import { parseCgroupLayout } from "./layout.ts";

const v2Mounts = `22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:2 - sysfs sysfs rw
26 22 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
`;

test("v2 alone", () => {
  expect(parseCgroupLayout(v2Mounts, "0::/user.slice/user-1000.slice/session-2.scope\n")).toEqual({
    kind: "v2",
    mountpoint: "/sys/fs/cgroup",
    own: "/user.slice/user-1000.slice/session-2.scope",
    writable: true,
  });
});

test("v2 with a hierarchy of v1 for a firewall is v2", () => {
  const odd = "90 27 0:60 / /mnt/net_cls rw - cgroup none rw,net_cls\n";
  const layout = parseCgroupLayout(v2Mounts + odd, "1:net_cls:/\n0::/a\n");
  expect(layout).toMatchObject({ kind: "v2", own: "/a" });
});

test("v1, with controllers that share a hierarchy", () => {
  const layout = parseCgroupLayout(
    `24 1 8:1 / / rw - ext4 /dev/sda1 rw
30 24 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/systemd rw,nosuid shared:9 - cgroup cgroup rw,xattr,name=systemd
33 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:14 - cgroup cgroup rw,cpu,cpuacct
34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
`,
    "5:memory:/user.slice\n4:cpu,cpuacct:/user.slice/it's:odd\n1:name=systemd:/user.slice/x (deleted)\n",
  );
  expect(layout).toEqual({
    kind: "v1",
    hierarchies: [
      { controllers: ["memory"], mountpoint: "/sys/fs/cgroup/memory", own: "/user.slice", writable: true },
      {
        controllers: ["cpu", "cpuacct"],
        mountpoint: "/sys/fs/cgroup/cpu,cpuacct",
        own: "/user.slice/it's:odd",
        writable: true,
      },
      {
        controllers: ["name=systemd"],
        mountpoint: "/sys/fs/cgroup/systemd",
        own: "/user.slice/x",
        writable: true,
      },
    ],
    unified: undefined,
  });
});

const hybridMounts = `23 1 8:0 / / rw - ext4 /dev/root rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;

test("hybrid: v1 has the controllers, v2 is beside it", () => {
  expect(parseCgroupLayout(hybridMounts, "1:cpu:/a\n0::/b\n")).toEqual({
    kind: "v1",
    hierarchies: [{ controllers: ["cpu"], mountpoint: "/sys/fs/cgroup/cpu", own: "/a", writable: true }],
    unified: { mountpoint: "/sys/fs/cgroup/unified", own: "/b", writable: true },
  });
});

test("a mount over others hides them", () => {
  const over = "77 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n";
  const own = "1:cpu:/a\n0::/b\n";
  expect(parseCgroupLayout(hybridMounts + over, own)).toMatchObject({ kind: "v2", own: "/b" });
  const empty = "78 31 0:50 / /sys/fs rw - tmpfs tmpfs rw\n";
  expect(parseCgroupLayout(hybridMounts + empty, own)).toEqual({ kind: "none" });
});

test("a root that was mounted after what is on it hides nothing", () => {
  const text = `25 30 0:20 / /sys rw - sysfs sysfs rw
26 25 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
30 1 8:1 / / rw - ext4 /dev/sda1 rw
`;
  expect(parseCgroupLayout(text, "0::/init.scope\n")).toMatchObject({ kind: "v2", own: "/init.scope" });
});

test("in a nested container the mount begins at the container's cgroup, and may be read-only", () => {
  const layout = parseCgroupLayout(
    `900 800 0:50 / / rw - overlay overlay rw
910 900 0:60 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755
911 910 0:30 /docker/abc /sys/fs/cgroup/cpu ro,nosuid master:14 - cgroup cgroup rw,cpu
912 910 0:31 /docker/abc /sys/fs/cgroup/memory rw,nosuid master:15 - cgroup cgroup rw,memory
`,
    "5:memory:/docker/abc/inner\n4:cpu:/docker/abc\n",
  );
  expect(layout).toMatchObject({
    kind: "v1",
    hierarchies: [
      { controllers: ["memory"], own: "/inner", writable: true },
      { controllers: ["cpu"], own: "/", writable: false },
    ],
  });
});

test("a cgroup outside of what is mounted, or of the cgroup namespace, counts as the root of it", () => {
  const text = "26 1 0:25 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  for (const path of ["/elsewhere", "/docker/abcdef", "/../../x", "/docker/abc/../x"]) {
    expect(parseCgroupLayout(text, `0::${path}\n`)).toMatchObject({ kind: "v2", own: "/" });
  }
});

test("mount points with spaces", () => {
  const text = "26 1 0:25 / /mnt/my\\040cgroup rw - cgroup2 cgroup2 rw\n";
  expect(parseCgroupLayout(text, "0::/\n")).toMatchObject({ kind: "v2", mountpoint: "/mnt/my cgroup" });
});

test("no cgroups", () => {
  expect(parseCgroupLayout("", "")).toEqual({ kind: "none" });
  expect(parseCgroupLayout("27 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/\n")).toEqual({ kind: "none" });
});
