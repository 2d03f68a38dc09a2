/**
 * Labels under kernels that have them: process.apparmorProfile, process.selinuxLabel, linux.mountLabel, in machines of the
 * test's own. Each is started once, and everything that it says is looked at afterwards.
 */
import { describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "./support/command.ts";
import { type Change, type Config, config, shell, sleeper } from "./support/config.ts";
import { hasProgram, repository } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { copyBusybox, makeRootfs } from "./support/rootfs.ts";
import { boot, copyProgram, fetchKernel, makeMachine, noMachine } from "./support/virtual-machine.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("security-modules");

const fixture = (name: string) => join(repository, "test/fixtures", name);

/** Starting a machine takes ten seconds where nothing else does, and minutes where much does. */
const patience = 600_000;

let fetched: Promise<string> | undefined;
const kernel = (): Promise<string> => {
  fetched ??= fetchKernel(box.directory("kernel"));
  return fetched;
};

/** The root file system of a machine with a bundle for each configuration, which differ in config.json alone. */
async function machineWith(configs: Readonly<Record<string, Config>>): Promise<string> {
  const root = box.directory("machine");
  await makeMachine(root);
  const bundle = join(root, "bundle");
  mkdirSync(bundle);
  makeRootfs(join(bundle, "rootfs"), copyBusybox(bundle));
  // busybox's ls shows no labels.
  await copyProgram("/bin/ls", join(bundle, "rootfs"), "/bin/labels");
  mkdirSync(join(bundle, "rootfs/covered"));
  writeFileSync(join(bundle, "rootfs/forbidden"), "secret\n");
  for (const [name, value] of Object.entries(configs)) {
    writeFileSync(join(bundle, `${name}.json`), JSON.stringify(value));
  }
  return root;
}

/** What every container here is: without cgroups, and with a directory that is masked. */
const plain =
  (change: Change): Change =>
  (result) => {
    delete result.linux.resources;
    result.linux.maskedPaths = ["/covered"];
    change(result);
  };

const mapped: Change = (result) => {
  result.linux.namespaces.push({ type: "user" });
  result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
};

const bunc = "bunc --cgroup-manager disabled";
const run = (name: string) =>
  `echo; echo "== ${name}"; ${bunc} run --no-pivot --bundle /bundle --config /bundle/${name}.json ${name} </dev/null 2>&1; echo "status $?"`;
const start = (name: string) =>
  `${bunc} create --no-pivot --bundle /bundle --config /bundle/${name}.json ${name} </dev/null >/run/${name} 2>&1; ${bunc} start ${name}`;
const exec = (section: string, name: string, words: string) =>
  `echo; echo "== ${section}"; ${bunc} exec ${words.replace("ID", name)} </dev/null 2>&1`;

const current = "cat /proc/self/attr/current; echo";

describe("AppArmor", () => {
  const profiled = (profile: string, change: Change = () => {}): Change =>
    plain((result) => {
      result.process.apparmorProfile = profile;
      change(result);
    });
  const configs = {
    confined: shell(
      `${current}; cat /forbidden`,
      profiled("bunc-test", (result) => {
        result.process.noNewPrivileges = true;
      }),
    ),
    missing: config(profiled("bunc-missing")),
    unconfined: shell(current, profiled("unconfined")),
    mapped: shell(current, profiled("bunc-test", mapped)),
    hook: shell(
      "cat /run/hook",
      profiled("bunc-test", (result) => {
        result.mounts.push({ destination: "/run", type: "tmpfs", source: "tmpfs" });
        const args = ["sh", "-c", "cat /proc/self/attr/current > /run/hook"];
        result.hooks = { startContainer: [{ path: "/bin/sh", args, env: ["PATH=/bin"] }] };
      }),
    ),
    sleeping: sleeper(profiled("bunc-test")),
  };

  let booted: Promise<ReadonlyMap<string, string>> | undefined;
  async function said(section: string): Promise<string> {
    booted ??= (async () => {
      const root = await machineWith(configs);
      const features = "/etc/apparmor.d/abi/kernel-5.4-vanilla";
      const binary = join(root, "profile");
      const compile = 'apparmor_parser -I /etc/apparmor.d -M "$1" -Q -S "$2" > "$3"';
      await output(["sh", "-c", compile, "sh", features, fixture("apparmor-profile"), binary]);
      const script = [
        "cat /profile > /sys/kernel/security/apparmor/.load",
        ...["confined", "missing", "unconfined", "mapped", "hook"].map(run),
        start("sleeping"),
        exec("exec", "sleeping", "ID cat /proc/self/attr/current"),
        exec("exec --apparmor", "sleeping", "--apparmor unconfined ID cat /proc/self/attr/current"),
      ];
      return boot(await kernel(), root, "apparmor=1 security=apparmor", script.join("\n"));
    })();
    return (await booted).get(section) ?? `no section ${section}`;
  }

  const test = (title: string, body: () => Promise<void>) =>
    testIf(noMachine === "" && hasProgram("apparmor_parser"), noMachine || "needs apparmor_parser")(
      title,
      body,
      patience,
    );

  test("confines the process, which had no_new_privs before", async () => {
    expect(await said("confined")).toMatch(
      /^bunc-test \(enforce\)\n\ncat: .*\/forbidden.*: Permission denied\nstatus 1\n$/,
    );
  });
  test("confines it in a user namespace", async () => {
    expect(await said("mapped")).toMatch(/^bunc-test \(enforce\)\n+status 0\n$/);
  });
  test("confines startContainer hooks as it does the process", async () => {
    expect(await said("hook")).toMatch(/^bunc-test \(enforce\)\n+status 0\n$/);
  });
  test("leaves a process alone that is to be unconfined", async () => {
    expect(await said("unconfined")).toMatch(/^unconfined\n+status 0\n$/);
  });
  test("a profile that is not loaded is an error with its cure", async () => {
    expect(await said("missing")).toMatch(
      /^bunc: process\.apparmorProfile: write\(.*"exec bunc-missing", 17\): ENOENT .*apparmor_parser -r.*\nstatus 1\n$/,
    );
  });
  test("confines what exec adds, by the container's profile or another", async () => {
    expect(await said("exec")).toMatch(/^bunc-test \(enforce\)\n/);
    expect(await said("exec --apparmor")).toMatch(/^unconfined\n/);
  });
});

describe("SELinux", () => {
  const processLabel = "system_u:system_r:container_t:s0:c1,c2";
  const mountLabel = "system_u:object_r:container_file_t:s0:c1,c2";
  const labelled = (label: string, change: Change = () => {}): Change =>
    plain((result) => {
      result.process.selinuxLabel = label;
      change(result);
    });
  const everything: Change = (result) => {
    result.linux.mountLabel = mountLabel;
    result.mounts.push(
      { destination: "/dev/mqueue", type: "mqueue", source: "mqueue" },
      // By mount(2), which wants quotes around a label with commas.
      { destination: "/quoted", type: "tmpfs", source: "tmpfs", options: ["silent", "size=64k"] },
      {
        destination: "/own",
        type: "tmpfs",
        source: "tmpfs",
        options: ['size=64k,context="system_u:object_r:file_t:s0:c1,c2"'],
      },
    );
  };
  const look = `${current}; labels -Zd /dev /dev/pts /dev/mqueue /quoted /own /covered /proc`;
  const configs = {
    early: shell(
      current,
      labelled(processLabel, (result) => {
        result.linux.mountLabel = mountLabel;
      }),
    ),
    labelled: shell(look, labelled(processLabel, everything)),
    mapped: shell(
      look,
      labelled(processLabel, (result) => {
        everything(result);
        mapped(result);
      }),
    ),
    unknown: config(labelled("system_u:system_r:nobody_t:s0")),
    forbidden: config(labelled("system_u:system_r:forbidden_t:s0")),
    "unknown-mount": config(
      plain((result) => {
        result.linux.mountLabel = "system_u:object_r:nobody_t:s0";
      }),
    ),
    sleeping: sleeper(labelled(processLabel)),
  };

  let booted: Promise<ReadonlyMap<string, string>> | undefined;
  async function said(section: string): Promise<string> {
    booted ??= (async () => {
      const root = await machineWith(configs);
      const policy = join(root, "policy");
      await output([
        "checkpolicy",
        "-M",
        "-U",
        "allow",
        "-c",
        "31",
        "-o",
        policy,
        fixture("selinux-policy.conf"),
      ]);
      const script = [
        "mount -t selinuxfs selinuxfs /sys/fs/selinux",
        run("early"),
        "cat /policy > /sys/fs/selinux/load; echo 1 > /sys/fs/selinux/enforce",
        ...["labelled", "mapped", "unknown", "forbidden", "unknown-mount"].map(run),
        start("sleeping"),
        exec("exec", "sleeping", "ID cat /proc/self/attr/current"),
        exec(
          "exec --process-label",
          "sleeping",
          "--process-label system_u:system_r:kernel_t:s0 ID cat /proc/self/attr/current",
        ),
      ];
      return boot(await kernel(), root, "security=selinux lsm=selinux", script.join("\n"));
    })();
    return (await booted).get(section) ?? `no section ${section}`;
  }

  const test = (title: string, body: () => Promise<void>) =>
    testIf(noMachine === "" && hasProgram("checkpolicy"), noMachine || "needs checkpolicy")(
      title,
      body,
      patience,
    );

  /** What /bin/ls -Z prints, by file. */
  const labelsIn = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/^\s*(system_u:object_r:\S+) (\/\S*)$/gm)].map(([, label, path]) => [path, label]),
    );

  const expected = {
    "/dev": mountLabel,
    "/dev/pts": mountLabel,
    "/dev/mqueue": mountLabel,
    "/quoted": mountLabel,
    "/covered": mountLabel,
    "/own": "system_u:object_r:file_t:s0:c1,c2",
    "/proc": "system_u:object_r:file_t:s0",
  };

  test("labels the process, and the new file systems but for those that it labels itself", async () => {
    const text = await said("labelled");
    expect(text).toStartWith(`${processLabel}\n`);
    expect(labelsIn(text)).toEqual(expected);
    expect(text).toEndWith("status 0\n");
  });
  test("labels them in a user namespace, too", async () => {
    const text = await said("mapped");
    expect(text).toStartWith(`${processLabel}\n`);
    expect(labelsIn(text)).toEqual(expected);
  });
  test("has no labels before a policy is loaded, and that is said", async () => {
    expect(await said("early")).toMatch(
      /^bunc: warning: process\.selinuxLabel has no effect: .*\nbunc: warning: linux\.mountLabel has no effect: .*\nkernel\n+status 0\n$/,
    );
  });
  test("a label that the policy does not know is an error by the property's name", async () => {
    expect(await said("unknown")).toMatch(
      /^bunc: process\.selinuxLabel: write\(.*EINVAL .*policy.*\nstatus 1\n$/,
    );
    expect(await said("unknown-mount")).toMatch(
      /^bunc: mounts\[\d\]: fsconfig\(.*"context".*EINVAL .*linux\.mountLabel.*\nstatus 1\n$/,
    );
  });
  test("a label that the policy does not permit is an error that says where to look", async () => {
    expect(await said("forbidden")).toMatch(
      /^bunc: exec: "true": permission denied: .*security module.*\nstatus 1\n$/,
    );
  });
  test("labels what exec adds with the container's label, or another", async () => {
    expect(await said("exec")).toStartWith(processLabel);
    expect(await said("exec --process-label")).toStartWith("system_u:system_r:kernel_t:s0");
  });
});
