import { expect, test } from "bun:test";
import { annotatedProperties } from "./annotations.ts";

const property = (name: string, value: string) => {
  const [found] = annotatedProperties({ [`org.systemd.property.${name}`]: value });
  return found as object;
};
const uint64 = (value: bigint) => ({ kind: "integer", type: "t", value });

test("only annotations of systemd's name, in their order", () => {
  const found = annotatedProperties({
    "org.example": "'x'",
    "org.systemd.property.CollectMode": "'inactive-or-failed'",
    "org.systemd.property.After": "['crio.service']",
  });
  expect(found.map(({ name }) => name)).toEqual(["CollectMode", "After"]);
});

test("a time in seconds becomes one in microseconds, of the type that systemd has for times", () => {
  expect(property("TimeoutStopSec", "uint64 5")).toEqual({
    name: "TimeoutStopUSec",
    value: uint64(5_000_000n),
  });
  expect(property("TimeoutStopSec", "2")).toEqual({ name: "TimeoutStopUSec", value: uint64(2_000_000n) });
  expect(property("RuntimeMaxSec", "1.5")).toEqual({ name: "RuntimeMaxUSec", value: uint64(1_500_000n) });
  expect(property("TimeoutStopUSec", "uint64 7")).toEqual({ name: "TimeoutStopUSec", value: uint64(7n) });
});

test("what cannot be a property names the annotation", () => {
  for (const [name, value, why] of [
    ["TimeoutStopSec", "'5'", "it must be a number of seconds"],
    ["TimeoutStopSec", "-1", "it must be a number of seconds"],
    ["TimeoutStopSec", "uint64 18446744073709551615", "it must be a number of seconds"],
    ["CollectMode", "inactive", "no value as GVariant writes them"],
    ["a", "1", "names no property of systemd"],
    ["With Space", "1", "names no property of systemd"],
  ] as const) {
    expect(() => property(name, value)).toThrow(`annotations["org.systemd.property.${name}"] `);
    expect(() => property(name, value)).toThrow(why);
  }
});
