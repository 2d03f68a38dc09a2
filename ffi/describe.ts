// Calls and numbers as strace prints them. Loaded only to print: no successful run of a hot verb evaluates this.
import { type CallName, type CallRow, calls, type FlagTable, type Kind } from "./calls.ts";
import { BPF } from "./constants/bpf.ts";
import { ACCESS, AT, F, LOCK, MFD, O, RENAME } from "./constants/file.ts";
import {
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  FSPICK,
  MNT,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  OPEN_TREE,
} from "./constants/mount.ts";
import {
  CLONE,
  CLOSE_RANGE,
  KEYCTL,
  P,
  PR,
  RLIMIT,
  SECCOMP,
  SECCOMP_FILTER_FLAG,
  W,
} from "./constants/process.ts";
import { SIG } from "./constants/signal.ts";
import { AF, IOCTL, MSG, SOCK } from "./constants/socket.ts";
import { errnoName, errnoText } from "./errno-text.ts";

interface Table {
  readonly values: Readonly<Record<string, number>>;
  /** What strace writes before the name. */
  readonly prefix: string;
  /** One of the values, or several of them or-ed together. */
  readonly shape: "one" | "set";
}

const tables: Record<FlagTable, Table> = {
  ACCESS: { values: ACCESS, prefix: "", shape: "set" },
  AF: { values: AF, prefix: "AF_", shape: "one" },
  AT: { values: AT, prefix: "AT_", shape: "set" },
  BPF: { values: BPF, prefix: "BPF_", shape: "one" },
  CLONE: { values: CLONE, prefix: "CLONE_", shape: "set" },
  CLOSE_RANGE: { values: CLOSE_RANGE, prefix: "CLOSE_RANGE_", shape: "set" },
  F: { values: F, prefix: "F_", shape: "one" },
  FSCONFIG: { values: FSCONFIG, prefix: "FSCONFIG_", shape: "one" },
  FSMOUNT: { values: FSMOUNT, prefix: "FSMOUNT_", shape: "set" },
  FSPICK: { values: FSPICK, prefix: "FSPICK_", shape: "set" },
  FSOPEN: { values: FSOPEN, prefix: "FSOPEN_", shape: "set" },
  IOCTL: { values: IOCTL, prefix: "", shape: "one" },
  KEYCTL: { values: KEYCTL, prefix: "KEYCTL_", shape: "one" },
  LOCK: { values: LOCK, prefix: "LOCK_", shape: "set" },
  MFD: { values: MFD, prefix: "MFD_", shape: "set" },
  MNT: { values: MNT, prefix: "MNT_", shape: "set" },
  MOUNT_ATTR: { values: MOUNT_ATTR, prefix: "MOUNT_ATTR_", shape: "set" },
  MOVE_MOUNT: { values: MOVE_MOUNT, prefix: "MOVE_MOUNT_", shape: "set" },
  MS: { values: MS, prefix: "MS_", shape: "set" },
  MSG: { values: MSG, prefix: "MSG_", shape: "set" },
  O: { values: O, prefix: "O_", shape: "set" },
  OPEN_TREE: { values: OPEN_TREE, prefix: "OPEN_TREE_", shape: "set" },
  P: { values: P, prefix: "P_", shape: "one" },
  PR: { values: PR, prefix: "PR_", shape: "one" },
  RENAME: { values: RENAME, prefix: "RENAME_", shape: "set" },
  RLIMIT: { values: RLIMIT, prefix: "RLIMIT_", shape: "one" },
  SECCOMP: { values: SECCOMP, prefix: "SECCOMP_", shape: "one" },
  SECCOMP_FILTER_FLAG: { values: SECCOMP_FILTER_FLAG, prefix: "SECCOMP_FILTER_FLAG_", shape: "set" },
  SIG: { values: SIG, prefix: "SIG", shape: "one" },
  SOCK: { values: SOCK, prefix: "SOCK_", shape: "set" },
  W: { values: W, prefix: "W", shape: "set" },
};

/** A number in the words of its table: `MS_NOSUID|MS_NODEV`, `PR_SET_NAME`; what has no name stays hexadecimal. */
export function renderFlags(table: FlagTable, value: number | bigint): string {
  const { values, prefix, shape } = tables[table];
  const wanted = BigInt(value);
  const exact = Object.entries(values).find(([, number]) => BigInt(number) === wanted);
  if (exact) return prefix + exact[0];
  if (shape === "one" || wanted <= 0n) return String(value);
  const names: string[] = [];
  let rest = wanted;
  // Largest first: O_TMPFILE holds O_DIRECTORY, and a value of several bits must win over its parts.
  for (const [name, number] of Object.entries(values).sort((a, b) => b[1] - a[1])) {
    const bits = BigInt(number);
    if (bits > 0n && (rest & bits) === bits) {
      names.push(prefix + name);
      rest &= ~bits;
    }
  }
  // The access mode O_RDONLY is no bit; strace writes it all the same.
  if (table === "O" && (wanted & 3n) === 0n && (wanted & BigInt(O.PATH)) === 0n) names.push("O_RDONLY");
  if (rest !== 0n) names.unshift(`0x${rest.toString(16)}`);
  return names.reverse().join("|");
}

const longestText = 120;

/** A string argument, quoted as strace quotes it. */
export function renderText(text: string): string {
  const cut = text.length > longestText;
  return JSON.stringify(cut ? text.slice(0, longestText) : text) + (cut ? "..." : "");
}

/** One argument by its kind. */
export function renderArgument(
  kind: Kind | undefined,
  value: string | Uint8Array | number | bigint | null | undefined,
): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "string") return renderText(value);
  if (value instanceof Uint8Array) return `{${value.byteLength} bytes}`;
  switch (kind) {
    case "fd":
      return Number(value) === AT.FDCWD ? "AT_FDCWD" : String(value);
    case "mode":
      return `0${value.toString(8)}`;
    case "path":
    case "text":
    case "bytes":
      return value === 0 ? "NULL" : `0x${value.toString(16)}`;
    case undefined:
    case "int":
    case "any":
      return String(value);
    default:
      return renderFlags(kind, value);
  }
}

/** A whole call with its arguments, `mkdirat(AT_FDCWD, "/x", 0755)`. */
export function renderCall(
  name: CallName,
  args: readonly (string | Uint8Array | number | bigint | null | undefined)[],
): string {
  const [, , ...kinds] = calls[name] as CallRow;
  return `${name}(${kinds.map((kind, index) => renderArgument(kind, args[index])).join(", ")})`;
}

/** What a call returned, `-1 ENOENT (No such file or directory)` for a negated error number. */
export function renderResult(outcome: number): string {
  return outcome < 0 ? `-1 ${errnoName(-outcome)} (${errnoText(-outcome)})` : String(outcome);
}
