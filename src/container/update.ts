import { readFile, writeAtomically } from "../../ffi/file.ts";
import { decodeText } from "../../ffi/memory.ts";
import { readCgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { updateLimits } from "../linux/cgroups/update.ts";
import { checkBundle } from "../rules/check.ts";
import { refuseUnsupported } from "../rules/supported.ts";
import { parseConfig, parseResources } from "../spec/parse.ts";
import type { Resources } from "../spec/types.ts";
import { StateError } from "../state/error.ts";
import { files } from "../state/record.ts";
import { load, openContainer } from "../state/store.ts";
import { readKeptConfig } from "./kept-config.ts";
import { mergeResources } from "./merge-resources.ts";
import type { ContainerOptions } from "./options.ts";
import { statusOf } from "./state.ts";

export interface UpdateOptions extends ContainerOptions {
  /** What is to be changed, of `linux.resources`. */
  readonly resources: Resources;
}

/** The resources document of a file, or of standard input for "-". Throws SpecError, SyscallError. */
export function readResources(path: string): Resources {
  return parseResources(readFile(path === "-" ? 0 : path));
}

/**
 * `update`: changes a container's limits, those of its processes that run included, and keeps them for later commands.
 * Throws StateError "missing"; "conflict" when it is stopped or has no cgroup; SpecError that names what cannot be
 * applied, SyscallError: then everything is as it was.
 */
export function updateContainer({ root, id, log, resources }: UpdateOptions): void {
  using directory = openContainer(root, id);
  const record = load(root, id, directory);
  if (statusOf(root, record) === "stopped") {
    throw new StateError("conflict", `container not running: "${id}"`);
  }
  const cgroup = readCgroupRecord(record.cgroup);
  if (!cgroup) {
    throw new StateError(
      "conflict",
      `container "${id}" has no limits to change: it has no cgroup of its own`,
    );
  }
  const kept = readKeptConfig({ root, id, log });
  const changed = mergeResources(decodeText(kept, kept.length), resources);
  const config = parseConfig(new TextEncoder().encode(changed));
  checkBundle(config);
  refuseUnsupported(config);
  for (const note of updateLimits(cgroup, resources)) log.debug(note);
  writeAtomically(directory.fd, files.config, changed);
}
