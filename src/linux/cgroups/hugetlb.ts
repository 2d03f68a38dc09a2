import { SpecError, wrong } from "../../spec/error.ts";
import type { Resources } from "../../spec/types.ts";
import { dispensable, type Limit, limit } from "./limit.ts";

type HugepageLimits = NonNullable<Resources["hugepageLimits"]>;

/**
 * What may be used and what may be reserved: a program that reserves more than it may use would be killed when it
 * touches the rest, so that both are limited, as runc does it (runtime-spec, config-linux.md, "Huge page limits").
 * Documentation/admin-guide/cgroup-v2.rst, "HugeTLB"; cgroup-v1/hugetlb.rst. Reservations are limited since Linux 5.7.
 * @param ending of the files' names: "max" in version 2, "limit_in_bytes" in version 1
 * Throws SpecError for a size that is not written as the kernel writes it, or comes twice.
 */
export function limitHugetlb(limits: HugepageLimits, ending: "max" | "limit_in_bytes"): Limit[] {
  const seen = new Set<string>();
  return limits.flatMap(({ pageSize, limit: most }, index) => {
    const property = `linux.resources.hugepageLimits[${index}]`;
    if (!/^[1-9][0-9]*[KMG]B$/.test(pageSize)) {
      throw wrong(
        `${property}.pageSize`,
        pageSize,
        "a size as the kernel writes it, such as 64KB, 2MB or 1GB",
      );
    }
    if (seen.has(pageSize)) throw new SpecError(`${property}.pageSize`, `is ${pageSize} for the second time`);
    seen.add(pageSize);
    return [
      limit(`hugetlb.${pageSize}.${ending}`, most, property),
      dispensable(limit(`hugetlb.${pageSize}.rsvd.${ending}`, most, property)),
    ];
  });
}
