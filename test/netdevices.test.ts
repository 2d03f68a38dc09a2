/** `linux.netDevices`: devices of the caller's network namespace that the container gets. */
import { describe, expect } from "bun:test";
import { type Change, type Config, config, inherit, shell, sleeper } from "./support/config.ts";
import { hasProgram, runtimeKind } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { PrivateMounts } from "./support/private-mounts.ts";
import { command, workspace } from "./support/workspace.ts";

const box = workspace("netdevices");

const pair = "ip link add v0 type veth peer name v1";

function canMakePairs(): boolean {
  return hasProgram("ip") && Bun.spawnSync(["unshare", "--net", "sh", "-c", pair]).exitCode === 0;
}

const deviceTest = testIf(
  runtimeKind === "bunc" && canMakePairs(),
  "needs ip of iproute2, veth, and a runtime that knows runtime-spec 1.3",
);

const devices =
  (netDevices: Record<string, { name?: string }>, change: Change = () => {}): Change =>
  (result) => {
    Object.assign(result.linux, { netDevices });
    change(result);
  };

/**
 * Runs a container by a runtime in a network namespace of the test's own, so that the machine's is never touched.
 * @param before a script there, which ran first
 * @param after another, whose output comes last
 */
function run(configuration: Config, { before = pair, after = "true" } = {}) {
  const script = `${before} && { "$@"; status=$?; ${after}; exit $status; }`;
  return box.run(configuration, { wrap: ["unshare", "--net", "sh", "-c", script, "sh"] });
}

describe("a device", () => {
  deviceTest("is in the container, up, and gone where it was", async () => {
    const { status, stdout, stderr } = await run(
      shell("ls /sys/class/net; cat /sys/class/net/v0/flags; echo", devices({ v0: {} })),
      { after: "ls /proc/sys/net/ipv4/conf", before: `${pair} && ip link add stays type veth peer name too` },
    );
    expect([status, stderr]).toEqual([0, ""]);
    const [inside = "", outside = ""] = stdout.split("\n\n");
    const [lo, v0, flags] = inside.split("\n");
    expect([lo, v0]).toEqual(["lo", "v0"]);
    expect(Number(flags) & 1).toBe(1);
    expect(outside.split("\n")).toContain("stays");
    expect(outside.split("\n")).not.toContain("v0");
  });

  deviceTest("gets its new name, and %d in it becomes a number", async () => {
    const change = devices({ v0: { name: "eth%d" }, v1: { name: "eth%d" } });
    expect((await run(shell("ls /sys/class/net", change))).stdout).toBe("eth0\neth1\nlo\n");
    const named = devices({ v0: { name: "net0" } });
    expect((await run(shell("ls /sys/class/net", named))).stdout).toBe("lo\nnet0\n");
  });

  deviceTest("swaps its name with another", async () => {
    const change = devices({ v0: { name: "v1" }, v1: { name: "v0" } });
    const script = "cat /sys/class/net/v0/address /sys/class/net/v1/address";
    const before = `${pair} && ip link set v0 address 02:00:00:00:00:01 && ip link set v1 address 02:00:00:00:00:02`;
    const { status, stdout } = await run(shell(script, change), { before });
    expect([status, stdout]).toEqual([0, "02:00:00:00:00:02\n02:00:00:00:00:01\n"]);
  });

  deviceTest("keeps its global permanent addresses, and none else", async () => {
    const before = [
      pair,
      "ip addr add 10.1.2.3/24 broadcast 10.1.2.255 dev v0",
      "ip addr add 10.9.9.9 peer 10.9.9.10/32 dev v0",
      "ip addr add 10.1.2.4/24 valid_lft 1000 preferred_lft 1000 dev v0",
      "ip addr add 169.254.7.7/16 scope link dev v0",
      "if [ -e /proc/net/if_inet6 ]; then ip addr add 2001:db8::7/64 nodad dev v0; fi",
    ].join(" && ");
    const script = "ip addr show eth7; test -e /proc/net/if_inet6 && echo has 6";
    const { stdout } = await run(shell(script, devices({ v0: { name: "eth7" } })), { before });
    expect(stdout).toContain("inet 10.1.2.3/24 brd 10.1.2.255 scope global eth7");
    expect(stdout).toContain("inet 10.9.9.9 peer 10.9.9.10/32 scope global eth7");
    expect(stdout).not.toContain("10.1.2.4");
    expect(stdout).not.toContain("169.254.7.7");
    if (stdout.includes("has 6")) expect(stdout).toContain("inet6 2001:db8::7/64 scope global");
  });

  deviceTest("carries packets to its other end", async () => {
    const before = `${pair} && ip addr add 10.1.2.3/24 dev v0 && ip addr add 10.1.2.4/24 dev v1 && ip link set v1 up`;
    const { status, stdout } = await run(shell("ping -c 1 -W 5 10.1.2.4", devices({ v0: {} }, pinger)), {
      before,
    });
    expect([status, stdout.includes("1 packets received")]).toEqual([0, true]);
  });

  deviceTest("is there before sysctls are set", async () => {
    const change = devices({ v0: {} }, (result) => {
      result.linux.sysctl = { "net.ipv4.conf.v0.forwarding": "1" };
    });
    const { stdout, stderr } = await run(shell("cat /proc/sys/net/ipv4/conf/v0/forwarding", change));
    expect([stdout, stderr]).toEqual(["1\n", ""]);
  });

  deviceTest("in a container with a user namespace of its own", async () => {
    const change = devices({ v0: { name: "eth0" } }, (result) => {
      result.linux.namespaces.push({ type: "user" });
      result.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
      result.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
    });
    expect((await run(shell("ls /sys/class/net", change))).stdout).toBe("eth0\nlo\n");
  });
});

/** A process in a network namespace of its own, which a script has set up. */
const networkOf = (script: string) =>
  PrivateMounts.make(`exec unshare --net sh -c '${script}; exec sleep 10000'`);

/** ping(8) opens a raw socket. */
const pinger: Change = (result) => {
  const { capabilities } = result.process;
  for (const set of ["bounding", "effective", "permitted"] as const) capabilities?.[set]?.push("CAP_NET_RAW");
};

describe("a network namespace that is joined", () => {
  deviceTest(
    "keeps the device when the container is gone, and may have its number taken already",
    async () => {
      // Both namespaces number their devices from 2 on.
      const holder = await networkOf("ip link add w0 type veth peer name w1");
      try {
        const path = `/proc/${holder.pid}/ns/net`;
        const change = devices({ v0: { name: "eth0" } }, (result) => {
          inherit(result, "network");
          result.linux.namespaces.push({ type: "network", path });
        });
        const after = `nsenter --net=${path} ls /proc/sys/net/ipv4/conf`;
        const { status, stdout } = await run(shell("ls /proc/sys/net/ipv4/conf", change), { after });
        expect(status).toBe(0);
        expect(stdout.split("\n").filter((name) => name === "eth0")).toEqual(["eth0", "eth0"]);
      } finally {
        await holder.close();
      }
    },
  );
});

describe("refused, and every device is where it was", () => {
  const show = "ip -o addr show | grep -o 'v[01] *inet [0-9./]*'; ip -o link show up | grep -o 'v[01]@'";
  const before = `${pair} && ip addr add 10.1.2.3/24 dev v0 && ip link set v0 up && ip link set v1 up`;
  const as = "v0    inet 10.1.2.3/24\nv1@\nv0@\n";
  const cases: [string, Config, RegExp][] = [
    ["one that is not there", config(devices({ v0: {}, v7: {} })), /linux\.netDevices\.v7 names "v7"/],
    [
      "a name that is taken",
      config(devices({ v0: {}, v1: { name: "lo" } })),
      /linux\.netDevices\.v1[^\n]*"lo"[^\n]*taken/,
    ],
    [
      "one that cannot be moved",
      config(devices({ v0: {}, lo: { name: "lo7" } })),
      /linux\.netDevices\.lo could not/,
    ],
    [
      "a later step that fails",
      config(devices({ v0: {} }, (result) => (result.process.args = ["/no/such/program"]))),
      /no such file/,
    ],
    [
      "the caller's own namespace, joined",
      config(
        devices({ v0: {} }, (result) => {
          inherit(result, "network");
          result.linux.namespaces.push({ type: "network", path: "/proc/self/ns/net" });
        }),
      ),
      /linux\.netDevices\.v0 is where/,
    ],
    [
      "without a network namespace",
      config(devices({ v0: {} }, (result) => inherit(result, "network"))),
      /needs/,
    ],
  ];
  for (const [what, configuration, message] of cases) {
    deviceTest(what, async () => {
      const { status, stdout, stderr } = await run(configuration, { before, after: show });
      expect([status, stdout]).toEqual([1, as]);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^[^\n]+\n$/);
    });
  }
});

describe("create", () => {
  deviceTest("has it before start, and delete takes it away with the namespace", async () => {
    // A pair lives as long as both of its namespaces.
    const holder = await networkOf(pair);
    const wrap = ["nsenter", `--net=/proc/${holder.pid}/ns/net`, "--"];
    const container = await box.create(sleeper(devices({ v0: { name: "eth0" } })), { wrap });
    const list = await command(
      ["nsenter", `--net=/proc/${container.pid}/ns/net`, "ip", "-o", "link", "show", "eth0"],
      {},
    );
    expect(list.stdout).toMatch(/eth0@.*[<,]UP[,>]/);
    await container.start();
    await container.delete("--force");
    await holder.close();
  });
});
