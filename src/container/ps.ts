import { O } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { listDirectory, openFile, readLink } from "../../ffi/file.ts";
import { runCaptured } from "../../ffi/process.ts";
import { readCgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { processesOf } from "../linux/cgroups/processes.ts";
import { StateError } from "../state/error.ts";
import type { StateRecord } from "../state/record.ts";
import { load } from "../state/store.ts";
import { openInit } from "./init.ts";
import type { ContainerOptions } from "./options.ts";

/**
 * The ids of a container's processes, ascending, as this process's pid namespace numbers them; none when it is stopped.
 * Throws StateError "missing"; "conflict" when nothing tells which they are. SyscallError.
 */
export function processesOfContainer({ root, id }: ContainerOptions): number[] {
  const record = load(root, id);
  const cgroup = readCgroupRecord(record.cgroup);
  const pids = cgroup ? processesOf(cgroup) : processesInNamespace(record);
  return [...new Set(pids)].sort((a, b) => a - b);
}

/** Without a cgroup those are the container's that are in its pid namespace, when it has one. */
function processesInNamespace(record: StateRecord): number[] {
  using init = openInit(record);
  if (!init) return [];
  const namespace = namespaceOf(record.pid);
  if (namespace === undefined || namespace === namespaceOf("self")) {
    throw new StateError(
      "conflict",
      `the processes of container "${record.id}" are not known: it has neither a cgroup nor a pid namespace of its own`,
    );
  }
  using proc = openFile("/proc", O.RDONLY | O.DIRECTORY);
  return listDirectory(proc.fd)
    .map(({ name }) => Number(name))
    .filter((pid) => pid > 0 && namespaceOf(pid) === namespace);
}

function namespaceOf(pid: number | "self"): string | undefined {
  try {
    return readLink(`/proc/${pid}/ns/pid`);
  } catch (error) {
    // It has ended meanwhile, or is another user's.
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

/**
 * The lines of ps(1) about some processes, its title first. Without ps(1) the ids alone, under the same title.
 * @param options for ps(1); `-ef` when there are none. They must leave the column PID in.
 * Throws StateError when ps(1) fails, or shows no process ids. SyscallError.
 */
export function showProcesses(pids: readonly number[], options: readonly string[]): string {
  const args = options.length === 0 ? ["-ef"] : options;
  const shown = runCaptured("ps", ["ps", ...args]);
  if (!shown) return ["PID", ...pids].join("\n").concat("\n");
  if (shown.status !== 0) {
    throw new StateError("conflict", `ps ${args.join(" ")} failed: ${shown.output.trim()}`);
  }
  return selectProcesses(shown.output, pids);
}

/** The title of a table of ps(1), and the lines whose process is one of these. Throws StateError without a column PID. */
export function selectProcesses(table: string, pids: readonly number[]): string {
  const [title = "", ...lines] = table.split("\n");
  const column = fieldsOf(title).indexOf("PID");
  if (column < 0) {
    throw new StateError("conflict", `the output of ps has no column PID: ${JSON.stringify(title)}`);
  }
  const own = lines.filter((line) => pids.includes(Number(fieldsOf(line)[column])));
  return [title, ...own].join("\n").concat("\n");
}

function fieldsOf(line: string): string[] {
  return line.split(/\s+/).filter((field) => field !== "");
}
