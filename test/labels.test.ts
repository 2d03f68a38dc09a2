/**
 * Labels of security modules where there are none: nobody may believe to be confined who is not. Where there is one, see
 * security-modules.test.ts.
 */
import { beforeAll, describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type Change, config, sleeper } from "./support/config.ts";
import { isRoot, runtimeKind } from "./support/machine.ts";
import { peersDiffer, testIf } from "./support/peers.ts";
import { PrivateMounts } from "./support/private-mounts.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("labels");

const selinux = readFileSync("/proc/mounts", "utf8").includes(" selinuxfs ");
const processLabel = "system_u:system_r:container_t:s0:c1,c2";
const mountLabel = "system_u:object_r:container_file_t:s0:c1,c2";

const warning = (path: string) => new RegExp(`^bunc: warning: ${path} has no effect: SELinux is not enabled`);

describe("where SELinux is not enabled", () => {
  const labelled: [path: string, change: Change][] = [
    [
      "process.selinuxLabel",
      (result) => {
        result.process.selinuxLabel = processLabel;
      },
    ],
    [
      "linux.mountLabel",
      (result) => {
        result.linux.mountLabel = mountLabel;
      },
    ],
  ];
  for (const [path, change] of labelled) {
    const test = selinux
      ? testIf(false, "SELinux is enabled here")
      : peersDiffer({
          runc: "it refuses every container that has a label then; a caller that remembers its labels has none",
          crun: "it fails on the keyring's label, and says nothing of a mount label that it leaves out",
        });
    test(`${path} is left out, and that is said`, async () => {
      const { status, stderr } = await box.run(config(change));
      expect(status).toBe(0);
      expect(stderr).toMatch(warning(path));
      expect(stderr).toMatch(/^[^\n]+\n$/);
    });
  }

  testIf(!selinux && runtimeKind === "bunc", "bunc's own answer, without SELinux")(
    "exec leaves it out, too, whether config.json or an option asks for it",
    async () => {
      const container = await box.create(
        sleeper((result) => {
          result.process.selinuxLabel = processLabel;
        }),
      );
      await container.start();
      const plain = await box.runtime(["exec", container.id, "true"]);
      expect(plain.status).toBe(0);
      expect(plain.stderr).toMatch(warning("process.selinuxLabel"));
      await container.delete("--force");
      const other = await box.create(sleeper());
      await other.start();
      expect((await box.runtime(["exec", other.id, "true"])).stderr).toBe("");
      const option = await box.runtime(["exec", "--process-label", processLabel, other.id, "true"]);
      expect(option.stderr).toMatch(warning("process.selinuxLabel"));
    },
  );
});

const apparmorFile = "/sys/module/apparmor/parameters/enabled";
const apparmor = existsSync(apparmorFile) && readFileSync(apparmorFile, "utf8").startsWith("Y");

describe("where AppArmor is not enabled", () => {
  const test = apparmor
    ? testIf(false, "AppArmor is enabled here")
    : peersDiffer({
        runc: "it leaves it to the kernel to refuse, with no more than EINVAL",
        crun: "its words are others, and do not name the property",
      });

  test("a profile is an error that says so, and nothing is left", async () => {
    const { id, status, stderr } = await box.tryCreate(
      config((result) => {
        result.process.apparmorProfile = "containers-default";
      }),
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^bunc: process\.apparmorProfile is "containers-default", but AppArmor is not enabled/,
    );
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect((await box.runtime(["state", id])).status).not.toBe(0);
  });

  test("exec refuses one, too", async () => {
    const container = await box.create(sleeper());
    await container.start();
    const { status, stderr } = await box.runtime(["exec", "--apparmor", "p", container.id, "true"]);
    expect(status).toBe(255);
    expect(stderr).toContain('process.apparmorProfile is "p", but AppArmor is not enabled');
  });

  (apparmor
    ? testIf(false, "AppArmor is enabled here")
    : peersDiffer({ runc: "it fails then, too", crun: "it fails then, too" }))(
    "unconfined is what a process is anyway",
    async () => {
      const { status, stderr } = await box.run(
        config((result) => {
          result.process.apparmorProfile = "unconfined";
        }),
      );
      expect([status, stderr]).toEqual([0, ""]);
    },
  );
});

// A tree in the kernel's form in place of the kernel's own: the machine seems to have AppArmor, and has not.
const seeming = workspace("labels-tree");
beforeAll(async () => {
  if (!isRoot || runtimeKind !== "bunc") return;
  const tree = seeming.directory("module");
  const setup = `mkdir -p ${tree}/apparmor/parameters && echo Y > ${tree}/apparmor/parameters/enabled && mount --bind ${tree} /sys/module`;
  seeming.useMounts(await PrivateMounts.make(setup));
});

testIf(!apparmor && runtimeKind === "bunc", "bunc's own words, where AppArmor is not enabled")(
  "a profile that the kernel does not take is an error that names it",
  async () => {
    const change: Change = (result) => {
      result.process.apparmorProfile = "containers-default";
    };
    const { id, status, stderr } = await seeming.tryCreate(config(change));
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^bunc: process\.apparmorProfile: write\(.*"exec containers-default", 23\): EINVAL \(.*\n$/,
    );
    expect((await seeming.runtime(["state", id])).status).not.toBe(0);
  },
);
