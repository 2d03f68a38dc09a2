/** podman in the hands of a plain user: every command is given to bunc and to runc, and does the same. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { canMakeAccounts, withSubordinateIds } from "./support/accounts.ts";
import { findProgram, hasProgram, runtimePath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { Podman } from "./support/podman.ts";
import { workspace } from "./support/workspace.ts";

const runc = findProgram("runc");
const possible =
  canMakeAccounts &&
  hasProgram("podman") &&
  hasProgram("newuidmap") &&
  hasProgram("conmon") &&
  runc !== undefined;
const podmanTest = testIf(possible, "needs root, podman, conmon, newuidmap and runc");

let both: Podman[] = [];

// Before the workspace is removed: hooks are run in the order in which they are registered.
afterAll(async () => {
  for (const podman of both) await podman.close();
}, 60_000);

const box = workspace("podman-user");

beforeAll(async () => {
  if (!possible) return;
  // Where any user can get to it.
  const runtime = join(box.path, "bunc");
  copyFileSync(runtimePath, runtime);
  const { rootfs } = box.bundle();
  both = [runtime, runc].map((path) => new Podman(box, path, withSubordinateIds()));
  for (const podman of both) await podman.import(rootfs);
}, 60_000);

const sh = (script: string): string[] => ["sh", "-c", script];

/** What a command does with both. */
async function compare(args: string[]): Promise<string> {
  const results = [];
  for (const podman of both) {
    const { status, stdout } = await podman.call(args);
    results.push({ args, status, stdout });
  }
  const [mine, other] = results;
  expect(mine).toEqual(other);
  return mine?.stdout ?? "";
}

const run = (flags: string[], script: string): string[] => [
  ...["run", "--rm", "--network", "none", ...flags],
  "localhost/busybox",
  ...sh(script),
];

describe("a plain user's podman", () => {
  podmanTest("maps the subordinate ids, and gives the status on", async () => {
    const shown = await compare(
      run([], "id; cat /proc/self/uid_map; touch /f; chown 5:6 /f; stat -c %u:%g /f; exit 4"),
    );
    expect(shown).toContain("65536");
    expect(shown).toEndWith("5:6\n");
  });

  podmanTest("keeps the user's id", async () => {
    const { uid } = withSubordinateIds();
    expect(await compare(run(["--userns", "keep-id"], "id -u"))).toBe(`${uid}\n`);
  });

  podmanTest("read-only, privileged, with limits, in the host's network", async () => {
    await compare(run(["--read-only"], "touch /f; touch /tmp/f && echo tmp"));
    await compare(run(["--privileged"], "grep Cap /proc/self/status; ls /dev | sort"));
    await compare(run(["--memory", "64m", "--pids-limit", "50"], "echo limited"));
    await compare(["run", "--rm", "--network", "host", "localhost/busybox", ...sh("ls /sys/class/net")]);
  });

  podmanTest("exec and stop", async () => {
    for (const podman of both) {
      const background = ["run", "--detach", "--name", "c", "--network", "none", podman.image];
      await podman.output([...background, "sleep", "1000"]);
    }
    expect(await compare(["exec", "--user", "5", "c", ...sh("id -u; cat /proc/self/uid_map")])).toContain(
      "65536",
    );
    await compare(["exec", "c", ...sh("exit 7")]);
    await compare(["rm", "--force", "--time", "0", "c"]);
    await compare(["ps", "--all", "--quiet"]);
  });
});
