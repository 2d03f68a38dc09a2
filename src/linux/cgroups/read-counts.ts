// How files of cgroups say numbers. Documentation/admin-guide/cgroup-v1, cgroup-v2.rst.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { readText } from "../../../ffi/file.ts";
import type { HugetlbStats } from "./stats.ts";

/** What "max" counts as where a number is wanted: the largest of 64 bits. */
export const unlimited = 2n ** 64n - 1n;

// A controller that is not there, or does not count this; a controller without data.
const absent: readonly number[] = [ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EOPNOTSUPP, ERRNO.ENODEV];

/** Text of a file; "" where there is no such file. Throws SyscallError. */
export function readIfThere(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof SyscallError && absent.includes(error.errno)) return "";
    throw error;
  }
}

/** A number as the kernel writes it, "max" included; 0 for anything else. */
export function parseCount(text: string): bigint {
  const word = text.trim();
  if (word === "max") return unlimited;
  return /^-?\d+$/.test(word) ? BigInt(word) : 0n;
}

/** The number that a file has; 0 where there is no such file. */
export function readCount(path: string): bigint {
  return parseCount(readIfThere(path));
}

/** Lines of a name and a number; by name, as Go writes the keys of its maps. */
export function readTable(path: string): Readonly<Record<string, bigint>> {
  const table: Record<string, bigint> = {};
  for (const line of readIfThere(path).split("\n").sort()) {
    const [name = "", value] = line.split(/\s+/);
    if (value !== undefined) table[name] = parseCount(value);
  }
  return table;
}

/** "0-2,5" → 0, 1, 2, 5. cpuset(7), "List format". */
export function parseList(text: string): number[] {
  const numbers: number[] = [];
  for (const range of text.trim().split(",")) {
    if (range === "") continue;
    const [first = 0, last = first] = range.split("-").map(Number);
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return numbers;
}

/**
 * Counts of huge pages, by page size.
 * @param names of the files in the cgroup's directory
 * @param suffix of the file that tells of a page size: ".usage_in_bytes", ".current"
 */
export function readHugetlb(
  names: readonly string[],
  suffix: string,
  read: (size: string) => HugetlbStats,
): Record<string, HugetlbStats> {
  const stats: Record<string, HugetlbStats> = {};
  for (const name of names) {
    if (!name.startsWith("hugetlb.") || !name.endsWith(suffix)) continue;
    const size = name.slice("hugetlb.".length, -suffix.length);
    // Reservations are counted apart: hugetlb.2MB.rsvd.current.
    if (!size.includes(".")) stats[size] = read(size);
  }
  return stats;
}
