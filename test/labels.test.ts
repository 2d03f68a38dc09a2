/**
 * Labels of security modules: process.selinuxLabel, linux.mountLabel. The machines that run these tests have no such
 * module, so what is tested here is that nobody believes to be confined who is not. What the kernel is asked for where
 * there is one stands in the tests of the recorded program: src/container/seldom-program.test.ts.
 */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { type Change, config, sleeper } from "./support/config.ts";
import { runtimeKind } from "./support/machine.ts";
import { peersDiffer, testIf } from "./support/peers.ts";
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
