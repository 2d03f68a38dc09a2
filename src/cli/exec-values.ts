// What options of `exec` mean that are more than a text.
import { CAP } from "../../ffi/constants/capability.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

/** 4294967295 is -1, by which the kernel means "leave unchanged". */
const largestId = 4294967294;

/** Nothing but digits: whoever took "1 " or "1x" for 0 would run it as root (CVE-2026-30892). */
function parseId(option: string, text: string, what: string): number {
  const id = Number(text);
  if (/^[0-9]{1,10}$/.test(text) && id <= largestId) return id;
  throw new UsageError(`exec: ${option}: "${text}" is not the number of a ${what}; names are not looked up`);
}

/** --user UID[:GID]; what is not given is the container's. Throws UsageError. */
export function parseUser(text: string | undefined): { uid: number | undefined; gid: number | undefined } {
  if (text === undefined) return { uid: undefined, gid: undefined };
  const colon = text.indexOf(":");
  const uid = parseId("--user", colon < 0 ? text : text.slice(0, colon), "user");
  return { uid, gid: colon < 0 ? undefined : parseId("--user", text.slice(colon + 1), "group") };
}

/** --additional-gids, each of which may be a list with commas. Throws UsageError. */
export function parseGids(texts: readonly string[]): number[] {
  return texts.flatMap((text) => text.split(",")).map((text) => parseId("--additional-gids", text, "group"));
}

/** --cap: a name, with or without CAP_, in any case. Throws UsageError. */
export function parseCapability(text: string): string {
  const upper = text.toUpperCase();
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (Object.hasOwn(CAP, name)) return name;
  throw new UsageError(`exec: --cap: "${text}" is no capability${suggest(name, Object.keys(CAP))}`);
}
