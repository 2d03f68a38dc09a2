/** The runtime under the name ch-run-oci, called as buildah called Charliecloud's: its operations, in its syntax. */
import { chmodSync, closeSync, copyFileSync, existsSync, openSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { command, type Finished, isAlive, output, until } from "./command.ts";
import type { Config } from "./config.ts";
import { reap } from "./libc.ts";
import { runtimePath } from "./machine.ts";
import type { Workspace } from "./workspace.ts";

/** A link of that name to a copy of the runtime, where any user can get to it. */
export function linkChRunOci(box: Workspace): string {
  const path = join(box.path, "ch-run-oci");
  const copy = join(box.path, "bunc");
  if (!existsSync(copy)) copyFileSync(runtimePath, copy);
  chmodSync(copy, 0o755);
  if (!existsSync(path)) symlinkSync("bunc", path);
  return path;
}

export interface Operations {
  /** What to put before the runtime, to become another user for example. */
  become?: string[];
  /** Owner of the bundle. */
  owner?: number;
  /** Options before the operation. */
  globals?: string[];
  /** Options of create. */
  flags?: string[];
  env?: Record<string, string>;
  /** Changes the bundle. */
  prepare?: (rootfs: string) => void;
}

/** What became of a container; `stage` is the operation that failed. */
export interface Outcome extends Finished {
  stage: "create" | "start" | "";
}

/** create, start, state until it is stopped, delete: what the container printed and its status, or what failed. */
export async function operate(box: Workspace, config: Config, options: Operations = {}): Promise<Outcome> {
  const id = box.id();
  const { path } = box.bundle(config, options.prepare);
  if (options.owner !== undefined)
    await output(["chown", "-R", "-h", `${options.owner}:${options.owner}`, path]);
  const prefix = [...(options.become ?? []), linkChRunOci(box), ...(options.globals ?? [])];
  const run = (...args: string[]) => command([...prefix, ...args], { env: options.env ?? {}, cwd: path });
  const pidFile = join(path, "pid");
  const files = ["out", "err"].map((name) => openSync(join(path, name), "a+")) as [number, number];
  const printed = () => ({
    stdout: readFileSync(join(path, "out"), "utf8"),
    stderr: readFileSync(join(path, "err"), "utf8"),
  });
  const created = await command(
    [...prefix, "create", "--bundle", path, "--pid-file", pidFile, ...(options.flags ?? []), id],
    { env: options.env ?? {}, cwd: path, stdout: files[0], stderr: files[1] },
  );
  for (const file of files) closeSync(file);
  if (created.status !== 0) return { ...printed(), status: created.status, stage: "create" };
  const pid = Number(readFileSync(pidFile, "utf8"));
  const started = await run("start", id);
  if (started.status !== 0) {
    await run("delete", id);
    await until("the end of init", () => reap(pid) !== undefined);
    return { ...started, stage: "start" };
  }
  await until("the end of the container", () => !isAlive(pid));
  const state = JSON.parse((await run("state", id)).stdout);
  if (state.status !== "stopped" || state.id !== id || state.bundle !== path)
    throw new Error(`state: ${JSON.stringify(state)}`);
  let status: number | undefined;
  await until("its exit status", () => {
    status = reap(pid);
    return status !== undefined;
  });
  const deleted = await run("delete", id);
  if (deleted.status !== 0) throw new Error(`delete: ${deleted.stderr}`);
  return { ...printed(), status: status ?? -1, stage: "" };
}
