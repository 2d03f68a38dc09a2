/** What podman does with containers that exist, and with pods: given to bunc and to runc, and the same. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, hasProgram, isRoot, runtimePath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { cgroupParent, Podman } from "./support/podman.ts";
import { workspace } from "./support/workspace.ts";

const runc = findProgram("runc");
const possible = isRoot && hasProgram("podman") && hasProgram("conmon") && runc !== undefined;
const podmanTest = testIf(possible, "needs podman, conmon and runc");
const catatonitTest = testIf(possible && hasProgram("catatonit"), "needs podman, conmon, runc and catatonit");

// Before the workspace is removed: hooks are run in the order in which they are registered.
afterAll(async () => {
  if (possible) for (const podman of both) await podman.close();
}, 60_000);

const box = workspace("podman-manage");
const ours = new Podman(box, runtimePath);
const both = [ours, new Podman(box, runc ?? "")];
const { image } = ours;

beforeAll(async () => {
  if (!possible) return;
  const { rootfs } = box.bundle();
  for (const podman of both) await podman.import(rootfs);
}, 60_000);

/** What a row of commands prints, and with which status each ends, the same with both runtimes. */
async function compare(...commands: string[][]): Promise<string> {
  const seen: string[][] = [];
  for (const podman of both) {
    const lines: string[] = [];
    for (const args of commands) {
      const { status, stdout } = await podman.call(args);
      // Ids differ.
      const text = stdout.replace(/\b[0-9a-f]{64}\b/g, "ID").replace(/\b[0-9a-f]{12}\b/g, "ID");
      lines.push(`${args.join(" ")}: ${status}: ${text}`);
    }
    seen.push(lines);
  }
  const [mine = [], other] = seen;
  expect(mine).toEqual(other ?? []);
  return mine.join("");
}

const sh = (script: string): string[] => ["sh", "-c", script];
const isolated = ["--network", "none"];

/** A row of commands about a container "c" that sleeps. */
function withSleeper(flags: string[], ...commands: string[][]): Promise<string> {
  return compare(
    ["run", "--detach", "--name", "c", ...isolated, ...flags, image, "sleep", "1000"],
    ...commands,
    ["rm", "--force", "--time", "0", "c"],
    ["ps", "--all", "--quiet"],
  );
}

describe("a container", () => {
  podmanTest("is paused and goes on", async () => {
    const status = ["inspect", "--format", "{{.State.Status}}", "c"];
    const exec = ["exec", "c", "true"];
    const shown = await withSleeper([], ["pause", "c"], status, exec, ["unpause", "c"], status, exec);
    expect(shown).toContain(": 0: paused");
    expect(shown).toContain(": 0: running");
  });

  podmanTest("that is paused is removed", async () => {
    await withSleeper([], ["pause", "c"]);
  });

  podmanTest("logs, attach, wait and start again", async () => {
    const script = "echo out; echo err >&2; sleep 0.2; echo later; exit 4";
    const shown = await compare(
      ["run", "--detach", "--name", "c", ...isolated, image, ...sh(script)],
      ["wait", "c"],
      ["logs", "c"],
      ["start", "--attach", "c"],
      ["inspect", "--format", "{{.State.ExitCode}} {{.State.Status}}", "c"],
      ["rm", "c"],
    );
    expect(shown).toContain("wait c: 0: 4\n");
    expect(shown).toContain("start --attach c: 4: out\nlater\n");
  });

  podmanTest("cp both ways, commit, diff and export", async () => {
    const file = join(box.directory("cp"), "file");
    writeFileSync(file, "copied\n");
    const shown = await withSleeper(
      [],
      ["cp", file, "c:/tmp/file"],
      ["exec", "c", "cat", "/tmp/file"],
      ["cp", "c:/tmp/file", `${file}2`],
      ["pause", "c"],
      ["exec", "c", "true"],
      ["unpause", "c"],
      ["commit", "--quiet", "--pause", "c", "made"],
      ["run", "--rm", ...isolated, "made", "cat", "/tmp/file"],
      ["rmi", "made"],
    );
    expect(shown.match(/copied/g)).toHaveLength(2);
  });

  podmanTest("beneath a cgroup that is named", async () => {
    const where = sh(`grep -c ${cgroupParent} /proc/1/cgroup`);
    const flags = ["--cgroupns", "host", "--cgroup-parent", `/${cgroupParent}`];
    expect(await compare(["run", "--rm", ...isolated, ...flags, image, ...where])).toMatch(
      /: 0: [1-9]\d*\n$/,
    );
  });

  podmanTest("without cgroups, which runc cannot", async () => {
    const flags = ["--cgroups", "disabled", "--cgroupns", "host"];
    const script = "grep -c libpod /proc/1/cgroup; exit 3";
    const ran = await ours.call(["run", "--rm", ...isolated, ...flags, image, ...sh(script)]);
    expect(ran).toEqual({ status: 3, stdout: "0\n", stderr: "" });
  });

  podmanTest("top and stats", async () => {
    const stats = ["stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "c"];
    const shown = await withSleeper([], ["top", "c", "user", "pid", "comm"], stats);
    expect(shown).toMatch(/root +1 +sleep/);
    expect(shown).toContain("c 1");
  });

  podmanTest("is unhealthy until its check succeeds", async () => {
    const check = ["healthcheck", "run", "c"];
    const flags = ["--health-cmd", "CMD-SHELL test -e /tmp/well", "--health-interval", "disable"];
    const shown = await withSleeper(flags, check, ["exec", "c", "touch", "/tmp/well"], check);
    expect(shown).toMatch(/healthcheck run c: 1: .*healthcheck run c: 0: /s);
  });

  podmanTest("gets other limits", async () => {
    await withSleeper(["--memory", "64m"], ["update", "--memory", "50m", "--cpu-shares", "512", "c"]);
  });

  podmanTest("stays within its limits", async () => {
    const limits = ["--memory", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--pids-limit", "20"];
    const files = "memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max";
    const read = sh(`cd /sys/fs/cgroup; cat ${files} memory.max cpu.max pids.max 2>/dev/null`);
    expect(await compare(["run", "--rm", ...isolated, ...limits, image, ...read])).toContain("20");
  });

  podmanTest("is not limited by a limit of 0 processes", async () => {
    const { image: name } = ours;
    expect(
      await compare([
        "run",
        "--rm",
        ...isolated,
        "--pids-limit",
        "0",
        name,
        ...sh("true & wait; echo forked"),
      ]),
    ).toContain("forked");
  });

  catatonitTest("has an init", async () => {
    const shown = await compare(["run", "--rm", "--init", ...isolated, image, "cat", "/proc/1/comm"]);
    expect(shown).toContain("podman-init");
  });
});

describe("volumes", () => {
  const run = (flags: string[], script: string) => [
    "run",
    "--rm",
    ...isolated,
    ...flags,
    image,
    ...sh(script),
  ];

  podmanTest("keep what was written, and can be read-only", async () => {
    const shown = await compare(
      run(["--volume", "kept:/data"], "echo x > /data/f"),
      run(["--volume", "kept:/data:ro"], "cat /data/f; touch /data/g"),
      ["volume", "rm", "kept"],
    );
    expect(shown).toContain("touch /data/g: 1: x\n");
  });

  podmanTest("a directory of the host's, a tmpfs, and the size of /dev/shm", async () => {
    const directory = box.directory("shared");
    writeFileSync(join(directory, "file"), "from the host\n");
    const flags = [
      ...["--mount", `type=bind,src=${directory},dst=/host,ro`],
      ...["--tmpfs", "/t:size=1m,mode=700", "--shm-size", "2m"],
    ];
    const shown = await compare(
      run(flags, "cat /host/file; stat -c %a /t; df -k /t /dev/shm | tail -n 2; touch /host/x"),
    );
    expect(shown).toContain("from the host\n700\n");
  });

  podmanTest("a tmpfs has what the image has there", async () => {
    expect(await compare(run(["--tmpfs", "/etc"], "cat /etc/passwd; echo > /etc/new"))).toContain("root:");
  });
});

describe("pods", () => {
  catatonitTest("play kube, exec, generate kube, down", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "pod" },
      spec: {
        hostNetwork: true,
        restartPolicy: "Never",
        // A shell as process 1 does not end by the signal that would come first.
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "one",
            image: `${image}:latest`,
            imagePullPolicy: "Never",
            command: ["sleep", "1000"],
            env: [{ name: "A", value: "b" }],
            resources: { limits: { memory: "64Mi", cpu: "500m" } },
            securityContext: { runAsUser: 1000, readOnlyRootFilesystem: true },
          },
        ],
      },
    };
    const file = join(box.directory("kube"), "pod.yaml");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(pod));
    const shown = await compare(
      ["play", "kube", file],
      ["exec", "pod-one", ...sh("id -u; echo $A; touch /x")],
      ["pod", "inspect", "--format", "{{.State}} {{.NumContainers}}", "pod"],
    );
    expect(shown).toContain("1000\nb\n");
    expect(shown).toContain("Running 2");
    for (const podman of both)
      expect(await podman.output(["generate", "kube", "pod"])).toContain("kind: Pod");
    await compare(["play", "kube", "--down", file], ["ps", "--all", "--quiet"]);
  });
});
