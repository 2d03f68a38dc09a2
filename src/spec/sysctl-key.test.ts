import { expect, test } from "bun:test";
import { sysctlPath } from "./sysctl-key.ts";

test("the first separator of a key decides what separates", () => {
  expect(sysctlPath("net.ipv4.ip_forward")).toBe("net/ipv4/ip_forward");
  expect(sysctlPath("net/ipv4/ip_forward")).toBe("net/ipv4/ip_forward");
  expect(sysctlPath("net.ipv4.conf.eth0/100.rp_filter")).toBe("net/ipv4/conf/eth0.100/rp_filter");
  expect(sysctlPath("net/ipv4/conf/eth0.100/rp_filter")).toBe("net/ipv4/conf/eth0.100/rp_filter");
});

test("no key leads out of its directory", () => {
  for (const key of [
    "",
    ".",
    "net.",
    "net..x",
    "net/../kernel/core_pattern",
    "net.//.kernel.core_pattern",
    "/net/x",
  ]) {
    expect(sysctlPath(key)).toBeUndefined();
  }
});
