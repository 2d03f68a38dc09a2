import type { Config, Resources } from "./types.ts";

/**
 * `linux.resources` as a document of its version means it. Before 1.3.0 a `pids.limit` of 0 asked for nothing, for
 * callers written in Go could not leave it out; since then it is a limit (runtime-spec pull request 1279).
 */
export function resourcesOf({ ociVersion, linux }: Config): Resources | undefined {
  const resources = linux?.resources;
  if (resources?.pids?.limit !== 0n || Number(ociVersion.split(".")[1]) >= 3) return resources;
  const { pids: _, ...others } = resources;
  return others;
}
