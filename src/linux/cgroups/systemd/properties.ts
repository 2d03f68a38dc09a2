// What systemd is told of a container's limits. Pure.
// The limits are the container's own cgroup's; systemd gets those that it has a property for, too, so that it counts with
// them, shows them, and sets them for the scope around it. systemd.resource-control(5).
import {
  type BusProperty,
  type BusValue,
  busArray,
  busText,
  busUint64,
} from "../../../../ffi/structs/bus-value.ts";
import type { FileValue } from "../limit.ts";

/** Gives the properties for a value; none when systemd has no such value. */
type Rule = (value: string, version: number) => readonly BusProperty[];

/** Names of files, of version 1 and of version 2, and what stands for them. cpu.cfs_* are in `quotaOf`. */
const rules: Readonly<Record<string, Rule>> = {
  "memory.max": bytes("MemoryMax"),
  "memory.high": bytes("MemoryHigh"),
  "memory.low": bytes("MemoryLow"),
  "memory.min": bytes("MemoryMin"),
  "memory.swap.max": bytes("MemorySwapMax"),
  "memory.zswap.max": since(253, bytes("MemoryZSwapMax")),
  "memory.limit_in_bytes": bytes("MemoryLimit"),
  // 0 is no value of systemd's: it stays with the container's own cgroup.
  "pids.max": (value, version) => (value === "0" ? [] : bytes("TasksMax")(value, version)),
  "cpu.shares": bytes("CPUShares"),
  "cpu.weight": bytes("CPUWeight"),
  // systemd's word for an idle cgroup is the weight 0; there is no way back to 0.
  "cpu.idle": since(252, (value) => (value === "1" ? [{ name: "CPUWeight", value: busUint64(0n) }] : [])),
  "cpu.max": (value, version) => {
    const [quota = "max", period = "100000"] = value.split(" ");
    return quotaOf(quota, period, version);
  },
  "cpuset.cpus": since(244, bits("AllowedCPUs")),
  "cpuset.mems": since(244, bits("AllowedMemoryNodes")),
  "io.weight": (value) => weights(value, (weight) => weight),
  "io.bfq.weight": (value) => weights(value, ioWeightOf),
  "blkio.weight": bytes("BlockIOWeight"),
  "blkio.bfq.weight": bytes("BlockIOWeight"),
};

/**
 * The properties of a scope for what is written to its container's cgroup; a file may be a path.
 * @param unified whether the controllers are those of version 2: in version 1 systemd has no property for processors
 * @param version of systemd: properties that it does not know would make it refuse all of them
 */
export function propertiesOf(
  writes: readonly FileValue[],
  { unified, version }: { readonly unified: boolean; readonly version: number },
): BusProperty[] {
  const found: BusProperty[] = [];
  const values = new Map<string, string>();
  for (const { file, value } of writes) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    values.set(name, value);
    if (!unified && name.startsWith("cpuset.")) continue;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule) found.push(...rule(value, version));
  }
  const [quota, period] = [values.get("cpu.cfs_quota_us"), values.get("cpu.cfs_period_us")];
  if (quota !== undefined || period !== undefined) {
    found.push(...quotaOf(quota ?? "-1", period ?? "100000", version));
  }
  // An idle cgroup has no weight: both are one property, of which the last would win.
  const idle = found.some(
    ({ name, value }) => name === "CPUWeight" && value.kind === "integer" && value.value === 0n,
  );
  return idle
    ? found.filter(
        ({ name, value }) => name !== "CPUWeight" || (value.kind === "integer" && value.value === 0n),
      )
    : found;
}

/** A number of 64 bits; `max` and negative ones are infinity. */
function bytes(name: string): Rule {
  return (value) => {
    if (value === "max") return [{ name, value: busUint64(-1n) }];
    return /^-?\d+$/.test(value) ? [{ name, value: busUint64(BigInt(value)) }] : [];
  };
}

function since(first: number, rule: Rule): Rule {
  return (value, version) => (version >= first ? rule(value, version) : []);
}

/**
 * systemd counts microseconds of processor time in a second, and makes whole percents of them: rounded up, so that the
 * container's own cgroup can have what it asks for. runc and crun round so, too. The period is known since systemd 242.
 */
function quotaOf(quota: string, period: string, version: number): readonly BusProperty[] {
  if (!/^(max|-?\d+)$/.test(quota) || !/^\d+$/.test(period) || BigInt(period) === 0n) return [];
  const found: BusProperty[] = [];
  if (version >= 242) found.push({ name: "CPUQuotaPeriodUSec", value: busUint64(BigInt(period)) });
  const whole = quota === "max" || BigInt(quota) <= 0n;
  const share = whole ? -1n : (BigInt(quota) * 1_000_000n) / BigInt(period);
  const percent = 10_000n;
  const rounded = whole ? share : ((share + percent - 1n) / percent) * percent;
  found.push({ name: "CPUQuotaPerSecUSec", value: busUint64(rounded) });
  return found;
}

/** A list of processors or nodes, `0-2,7`, as bytes of bits. */
function bits(name: string): Rule {
  return (value) => {
    const set = bitsOf(value);
    if (set === undefined) return [];
    const items = set.map((byte): BusValue => ({ kind: "integer", type: "y", value: BigInt(byte) }));
    return [{ name, value: busArray("y", items) }];
  };
}

/** More than any machine has: a wrong number must not fill the memory. */
const mostBits = 1 << 16;

/** undefined for what is no such list: the kernel says so when it is written. */
export function bitsOf(list: string): number[] | undefined {
  const bytes: number[] = [];
  for (const part of list.split(",")) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (!match) return undefined;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (first > last || last >= mostBits) return undefined;
    for (let bit = first; bit <= last; bit++) {
      const index = bit >> 3;
      while (bytes.length <= index) bytes.push(0);
      bytes[index] = (bytes[index] ?? 0) | (1 << (bit & 7));
    }
  }
  return bytes;
}

/** A line of io.weight: `100`, `default 100`, or `8:0 100`. */
function weights(line: string, convert: (weight: bigint) => bigint): readonly BusProperty[] {
  const match = /^(?:(default|\d+:\d+)\s+)?(\d+)$/.exec(line.trim());
  if (!match?.[2]) return [];
  const weight = convert(BigInt(match[2]));
  const [, device] = match;
  if (device === undefined || device === "default") return [{ name: "IOWeight", value: busUint64(weight) }];
  const entry: BusValue = { kind: "struct", members: [busText(`/dev/block/${device}`), busUint64(weight)] };
  return [{ name: "IODeviceWeight", value: busArray("(st)", [entry]) }];
}

/**
 * A weight of BFQ (1 to 1000, 100 by default) as one of io.weight (1 to 10000, 100 by default): two straight lines that
 * meet at the default, the inverse of what systemd does (BFQ_WEIGHT of its src/core/cgroup.c). crun has it, too.
 */
export function ioWeightOf(weight: bigint): bigint {
  return weight <= 100n ? 100n - ((100n - weight) * 99n) / 99n : 100n + ((weight - 100n) * 9900n) / 900n;
}
