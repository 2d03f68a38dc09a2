import { formatJson } from "../spec/format-json.ts";
import { parseJsonCarefully } from "../spec/json.ts";
import type { Mount } from "../spec/types.ts";

/**
 * A config.json with other mounts; the rest stays as it was, properties that bunc does not know included.
 * @param text of a config.json that was understood before
 */
export function changeMounts(text: string, change: (mounts: readonly Mount[]) => readonly Mount[]): string {
  const config = parseJsonCarefully(text) as { readonly mounts?: readonly Mount[] };
  return formatJson({ ...config, mounts: change(config.mounts ?? []) });
}
