/** Checkpoints by podman, which calls the runtime for them, and between bunc and runc. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command, until } from "./support/command.ts";
import { type Config, shell } from "./support/config.ts";
import { findCriu } from "./support/criu.ts";
import { findProgram, hasProgram, isRoot, runtimeKind, runtimePath, searchPath } from "./support/machine.ts";
import { oursOnly, testIf } from "./support/peers.ts";
import { Podman } from "./support/podman.ts";
import { workspace } from "./support/workspace.ts";

const runc = findProgram("runc");
const possible = isRoot && hasProgram("podman") && hasProgram("conmon") && runc !== undefined;
// Before the workspace is removed: hooks are run in the order in which they are registered.
afterAll(async () => {
  if (possible) for (const podman of both) await podman.close();
}, 60_000);

const box = workspace("criu-callers");
const { criu, reason } = findCriu(box);
const path = criu ? `${criu.directory}:${searchPath}` : searchPath;

/** podman, with the criu that works here in its PATH. */
class WithCriu extends Podman {
  override get env(): Record<string, string> {
    return { ...super.env, PATH: path };
  }
}

const both = [new WithCriu(box, runtimePath), new WithCriu(box, runc ?? "")];
const counting = ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); usleep 20000; done"];

describe("podman", () => {
  const podmanTest = testIf(
    possible && criu !== undefined,
    possible ? reason : "needs podman, conmon and runc",
  );

  beforeAll(async () => {
    if (!possible || criu === undefined) return;
    const { rootfs } = box.bundle();
    for (const podman of both) await podman.import(rootfs);
  });

  for (const podman of both) {
    const name = podman.runtime === runc ? "runc" : runtimeKind;
    const container = ["--name", "c", "--network", "none"];
    const logs = async (id: string) => (await podman.output(["logs", id])).trim().split("\n").map(Number);

    /** Waits until the container has counted on; every number must be there once, in its order. */
    const counts = async (id: string, from: number): Promise<number> => {
      const found = await until(`${id} to count`, async () => {
        const numbers = await logs(id);
        return (numbers.at(-1) ?? -1) > from + 2 && numbers;
      });
      const [first = 0] = found;
      expect(found).toEqual(found.map((_, index) => first + index));
      return found.at(-1) ?? 0;
    };

    podmanTest(
      `container checkpoint and restore, in place, by an archive, and while it runs (${name})`,
      async () => {
        await podman.output(["run", "--detach", ...container, podman.image, ...counting]);
        const before = await counts("c", 0);
        await podman.output(["container", "checkpoint", "c"]);
        const status = ["ps", "--all", "--format", "{{.Names}} {{.Status}}"];
        expect(await podman.output(status)).toStartWith("c Exited");
        await podman.output(["container", "restore", "c"]);
        expect(await podman.output(status)).toStartWith("c Up");
        const after = await counts("c", before);

        const archive = join(podman.home, "checkpoint.tar.gz");
        await podman.output(["container", "checkpoint", "--leave-running", "--export", archive, "c"]);
        expect(await podman.output(status)).toStartWith("c Up");
        await podman.output(["rm", "--force", "--time", "0", "c"]);
        await podman.output(["container", "restore", "--import", archive, "--name", "d"]);
        // The archive has its log, too, of a moment after the memory's.
        await until("d to count", async () => ((await logs("d")).at(-1) ?? 0) > after + 2);
        await podman.output(["rm", "--force", "--time", "0", "d"]);
      },
      120_000,
    );
  }
});

describe("images of the one are the other's", () => {
  const needed = runc !== undefined && criu !== undefined && isRoot;
  const exchangeTest: typeof oursOnly = (title, body, timeout) =>
    needed ? oursOnly(title, body, timeout) : testIf(false, runc ? reason : "needs runc")(title, body);
  const config = (): Config => shell("i=0; while :; do echo $i >> /count; i=$((i+1)); usleep 20000; done");

  for (const [first, second] of [
    [runtimePath, runc ?? ""],
    [runc ?? "", runtimePath],
  ] as const) {
    const nameOf = (runtime: string) => (runtime === runc ? "runc" : "bunc");
    exchangeTest(`dumped by ${nameOf(first)}, restored by ${nameOf(second)}`, async () => {
      const id = box.id();
      const bundle = box.bundle(config());
      const images = join(bundle.path, "images");
      const count = () => {
        const file = join(bundle.rootfs, "count");
        return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").map(Number) : [];
      };
      const state = (runtime: string) => join(box.path, `state-${nameOf(runtime)}`);
      // The streams are pipes, as conmon's and containerd's are.
      const pipes = ["bash", "--norc", "-c", '{ : | "$@" 2>&3 | cat >/dev/null; } 3> >(cat >&2)', "bash"];
      const call = (runtime: string, verb: string, ...args: string[]) =>
        command([...pipes, runtime, "--root", state(runtime), verb, ...args, id], { env: { PATH: path } });
      const end = (runtime: string) =>
        command([runtime, "--root", state(runtime), "delete", "--force", id], { env: { PATH: path } });
      const running = call(first, "run", "--bundle", bundle.path);
      await until("the container", () => count().length > 5);
      const dumped = await command(
        [first, "--root", state(first), "checkpoint", "--image-path", images, id],
        { env: { PATH: path } },
      );
      expect(dumped).toEqual({ status: 0, stdout: "", stderr: "" });
      await running;
      const before = count().length;
      const restored = call(second, "restore", "--bundle", bundle.path, "--image-path", images);
      await until("the restored container", () => count().length > before + 3);
      expect(count()).toEqual(count().map((_, index) => index));
      expect((await end(second)).status).toBe(0);
      expect((await restored).stderr).toBe("");
    });
  }
});
