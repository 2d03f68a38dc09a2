/** buildah with a storage of its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { now } from "./native.ts";
import type { Cgroups, Runtime } from "./runtimes.ts";

export const stepMeasure = "RUN step of buildah build";

const image = "localhost/bunc-bench";

function runtimeFlags(runtime: Runtime, cgroups: Cgroups): string[] {
  const flags = runtime.flags(cgroups).map((flag) => `--runtime-flag=${flag.replace(/^--/, "")}`);
  return ["--runtime", runtime.path, ...flags];
}

/** Milliseconds between the line that announces each RUN step and the one that announces the next step. */
async function timeSteps(lines: AsyncIterable<Uint8Array>): Promise<number[]> {
  const decoder = new TextDecoder();
  const times: number[] = [];
  let begin: number | undefined;
  let rest = "";
  for await (const chunk of lines) {
    const time = now();
    const complete = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = complete.pop() ?? "";
    for (const line of complete.filter((text) => text.startsWith("STEP "))) {
      if (begin !== undefined) times.push(time - begin);
      begin = / RUN /.test(line) ? time : undefined;
    }
  }
  return times;
}

export class Buildah {
  readonly #global: string[];
  readonly #environment: Record<string, string>;

  /** @param directory where everything is kept; made when missing */
  constructor(readonly directory: string) {
    const temporary = join(directory, "tmp");
    mkdirSync(temporary, { recursive: true });
    // vfs works everywhere, inside containers too.
    this.#global = ["buildah", "--storage-driver=vfs"];
    this.#global.push(`--root=${join(directory, "storage")}`, `--runroot=${join(directory, "run")}`);
    const PATH = process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin";
    this.#environment = { PATH, HOME: directory, TMPDIR: temporary };
  }

  /** What `buildah ARGS` prints. Throws when it fails, unless `mayFail`, with what it says. */
  run(args: string[], mayFail = false): string {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...this.#global, ...args], {
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (exitCode !== 0 && !mayFail) throw new Error(`buildah ${args.join(" ")}: ${stderr}`);
    return mayFail ? stderr.toString() : stdout.toString().trim();
  }

  /** Makes the image that `from` and `build` start from. */
  makeImage(rootfs: string): void {
    const container = this.run(["from", "scratch"]);
    this.run(["copy", container, rootfs, "/"]);
    this.run(["commit", "--quiet", "--rm", container, image]);
  }

  /**
   * Runs /bin/true in a container through a runtime.
   * @returns what buildah said of it, whether it failed or not
   */
  runTrue(runtime: string): string {
    const container = this.run(["from", image]);
    const message = this.run(
      ["run", "--isolation=oci", "--network=none", "--runtime", runtime, container, "/bin/true"],
      true,
    );
    this.run(["rm", container]);
    return message;
  }

  /**
   * Builds a Containerfile of `steps` times RUN /bin/true.
   * @returns milliseconds of each step, as the lines that buildah prints tell, and of the whole program
   * @throws when the build fails, with what buildah says
   */
  async build(
    runtime: Runtime,
    cgroups: Cgroups,
    steps: number,
  ): Promise<{ steps: number[]; whole: number }> {
    // The last step's line marks the end of the one before. What follows, the commit, is not the runtime's doing.
    const text = [`FROM ${image}`, ...Array<string>(steps).fill('RUN ["/bin/true"]'), "ENV LAST=step", ""];
    const file = join(this.directory, "Containerfile");
    writeFileSync(file, text.join("\n"));
    const args = [
      "build",
      "--isolation=oci",
      "--network=none",
      "--layers=false",
      "--pull-never",
      "--file",
      file,
    ];
    const begin = now();
    const child = Bun.spawn(
      [...this.#global, ...args, ...runtimeFlags(runtime, cgroups), join(this.directory, "tmp")],
      { env: this.#environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    const [times, message] = await Promise.all([timeSteps(child.stdout), new Response(child.stderr).text()]);
    const status = await child.exited;
    const whole = now() - begin;
    if (status !== 0) throw new Error(`buildah build with ${runtime.name}: ${message}`);
    if (times.length !== steps)
      throw new Error(`${times.length} of ${steps} steps were seen in buildah's output`);
    return { steps: times, whole };
  }
}
