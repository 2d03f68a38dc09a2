// Kernel structs as strace prints them. Loaded only to print.
import type { CallName, FlagTable } from "../calls.ts";
import { RESOLVE } from "../constants/file.ts";
import { MS } from "../constants/mount.ts";
import { SECCOMP } from "../constants/process.ts";
import { renderFlags } from "../describe.ts";
import { readCapData } from "./capability.ts";

type Render = (view: DataView, args: readonly (number | bigint)[]) => string | undefined;

/** One unsigned 64-bit field: what to call it, where it is, how to print it. */
type Field = readonly [name: string, offset: number, print: (value: bigint) => string];

const plain = (value: bigint) => String(value);
const flags = (table: FlagTable) => (value: bigint) => (value === 0n ? "0" : renderFlags(table, value));
const octal = (value: bigint) => `0${value.toString(8)}`;

/** Names of bits that are in no table of ffi/describe.ts. */
function bits(prefix: string, values: Readonly<Record<string, number>>): (value: bigint) => string {
  return (value) => {
    const names = Object.entries(values).filter(([, bit]) => (value & BigInt(bit)) !== 0n);
    const rest = names.reduce((left, [, bit]) => left & ~BigInt(bit), value);
    const all = names.map(([name]) => prefix + name);
    if (rest !== 0n || all.length === 0) all.push(rest === 0n ? "0" : `0x${rest.toString(16)}`);
    return all.join("|");
  };
}

/** A struct of fields; those that are 0 are left out, but for the first. */
function struct(fields: readonly Field[]): Render {
  return (view) => {
    const shown = fields.flatMap(([name, offset, print], index) => {
      const value = view.getBigUint64(offset, true);
      return value === 0n && index > 0 ? [] : [`${name}=${print(value)}`];
    });
    return `{${shown.join(", ")}}`;
  };
}

const infinity = 0xffff_ffff_ffff_ffffn;
const limit = (value: bigint) => (value === infinity ? "RLIM64_INFINITY" : String(value));

const openHow = struct([
  ["flags", 0, flags("O")],
  ["mode", 8, octal],
  ["resolve", 16, bits("RESOLVE_", RESOLVE)],
]);
const mountAttr = struct([
  ["attr_set", 0, flags("MOUNT_ATTR")],
  ["attr_clr", 8, flags("MOUNT_ATTR")],
  ["propagation", 16, bits("MS_", MS)],
  ["userns_fd", 24, plain],
]);
const cloneArgs = struct([
  ["flags", 0, flags("CLONE")],
  ["exit_signal", 32, flags("SIG")],
  ["set_tid_size", 72, plain],
  ["cgroup", 80, plain],
]);
const rlimit = struct([
  ["rlim_cur", 0, limit],
  ["rlim_max", 8, limit],
]);
const timespec = struct([
  ["tv_sec", 0, plain],
  ["tv_nsec", 8, plain],
]);
const filter: Render = (view, args) =>
  args[0] === SECCOMP.SET_MODE_FILTER ? `{len=${view.getUint16(0, true)}}` : undefined;
const capSets: Render = (view) => {
  const sets = readCapData(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return `{${Object.entries(sets)
    .map(([name, set]) => `${name}=0x${set.toString(16)}`)
    .join(", ")}}`;
};
const capHeader: Render = (view) => `{pid=${view.getInt32(4, true)}}`;

/** By call and argument: the least size, and how to print it. */
const structs: Partial<Record<CallName, Readonly<Record<number, readonly [size: number, Render]>>>> = {
  openat2: { 2: [24, openHow] },
  mount_setattr: { 3: [32, mountAttr] },
  clone3: { 0: [88, cloneArgs] },
  prlimit64: { 2: [16, rlimit] },
  clock_nanosleep: { 2: [16, timespec] },
  ppoll: { 2: [16, timespec] },
  seccomp: { 2: [16, filter] },
  capset: { 0: [8, capHeader], 1: [24, capSets] },
  capget: { 0: [8, capHeader] },
};

/**
 * What an argument of a call points at.
 * @param args all arguments of the call; what is not known, 0
 * Returns undefined when there is nothing better to say than its size.
 */
export function renderStruct(
  call: CallName,
  argument: number,
  bytes: Uint8Array,
  args: readonly (number | bigint)[],
): string | undefined {
  const [size, render] = structs[call]?.[argument] ?? [];
  if (!render || bytes.length < (size ?? 0)) return undefined;
  return render(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), args);
}
