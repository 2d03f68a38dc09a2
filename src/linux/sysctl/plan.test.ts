import { expect, test } from "bun:test";
import { planSysctl } from "./plan.ts";

test("keys become paths, whichever separator comes first", () => {
  const paths = (key: string) => planSysctl({ [key]: "1" })[0]?.path;
  expect(paths("net.ipv4.ip_forward")).toBe("sys/net/ipv4/ip_forward");
  expect(paths("net/ipv4/ip_forward")).toBe("sys/net/ipv4/ip_forward");
  expect(paths("net.ipv4.conf.eth0/1.forwarding")).toBe("sys/net/ipv4/conf/eth0.1/forwarding");
  expect(paths("net/ipv4/conf/eth0.1/forwarding")).toBe("sys/net/ipv4/conf/eth0.1/forwarding");
});
