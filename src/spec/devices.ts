/** runtime-spec, config-linux.md: "Devices" and, of "Control groups", "Allowed Device list". */
import * as v from "valibot";
import { flag, id, object, once, optional, text, uint32, whole, word } from "./values.ts";

/** fileMode may hold the file's type too (podman writes 0o20666): only the permission bits count. */
export const deviceSchema = once(() =>
  object({
    type: word("c", "b", "u", "p"),
    path: text("an absolute path in the container"),
    major: optional(uint32()),
    minor: optional(uint32()),
    fileMode: optional(uint32()),
    uid: optional(id()),
    gid: optional(id()),
  }),
);

/** In a cgroup rule an absent, empty or `a` type means all, and so does a number that is absent or -1. */
export const deviceRuleSchema = once(() =>
  object({
    allow: flag(),
    type: optional(word("a", "b", "c", "")),
    major: optional(whole(-1, 4294967295)),
    minor: optional(whole(-1, 4294967295)),
    access: optional(v.custom<string>(isAccess, 'letters of "rwm" (read, write, mknod)')),
  }),
);

function isAccess(value: unknown): boolean {
  if (typeof value !== "string" || value === "") return false;
  for (let at = 0; at < value.length; at += 1) if (!"rwm".includes(value.charAt(at))) return false;
  return true;
}

export type Device = v.InferOutput<ReturnType<typeof deviceSchema>>;
export type DeviceRule = v.InferOutput<ReturnType<typeof deviceRuleSchema>>;
