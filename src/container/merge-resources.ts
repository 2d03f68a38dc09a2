import { formatJson } from "../spec/format-json.ts";
import { parseJsonCarefully } from "../spec/json.ts";
import type { Resources } from "../spec/types.ts";

type Values = Record<string, unknown>;

/**
 * A config.json with other limits: what `update` names in place of what was there, and the rest as it was, properties that
 * bunc does not know included. Rules of devices are not changed, for `update` does not.
 * @param text of a config.json that was understood before
 */
export function mergeResources(text: string, { devices: _, ...resources }: Resources): string {
  const config = asObject(parseJsonCarefully(text));
  const linux = asObject(config.linux);
  const merged = merge(asObject(linux.resources), resources);
  return formatJson({ ...config, linux: { ...linux, resources: merged } });
}

/** Objects are merged; lists and all other values take the place of what was there. */
function merge(old: Values, changes: object): Values {
  const merged = { ...old };
  for (const [key, change] of Object.entries(changes)) {
    if (change === undefined) continue;
    merged[key] = isObject(change) ? merge(asObject(old[key]), change) : change;
  }
  return merged;
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Values {
  return isObject(value) ? value : {};
}
