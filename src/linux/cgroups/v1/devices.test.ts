import { expect, test } from "bun:test";
import type { DeviceRule } from "../../../spec/types.ts";
import { accessRules } from "../device-rules.ts";
import { limitDevices } from "./devices.ts";

function files(...rules: DeviceRule[]): string[] {
  return limitDevices(accessRules(rules)).map(
    ({ file, value }) => `${file.replace("devices.", "")} ${value}`,
  );
}

const needed = [
  "allow c *:* m",
  "allow b *:* m",
  "allow c 1:3 rwm",
  "allow c 1:5 rwm",
  "allow c 1:7 rwm",
  "allow c 1:8 rwm",
  "allow c 1:9 rwm",
  "allow c 5:0 rwm",
  "allow c 5:2 rwm",
  "allow c 136:* rwm",
];

test("buildah's rule: everything is forbidden but what every container needs", () => {
  expect(files({ allow: false, access: "rwm" })).toEqual(["deny a", ...needed]);
  expect(files()).toEqual(["deny a", ...needed]);
});

test("rules of a container come before what it needs, one write a device", () => {
  expect(
    files(
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 10, minor: 229, access: "r" },
      { allow: true, type: "c", major: 10, minor: 229, access: "w" },
      { allow: true, type: "c", major: 1, minor: 3, access: "r" },
    ),
  ).toEqual([
    "deny a",
    "allow c 10:229 rw",
    "allow c 1:3 rwm",
    ...needed.filter((each) => !each.includes("1:3 ")),
  ]);
});

test("a rule without a type is about both", () => {
  expect(files({ allow: true, major: 7, access: "r" }).slice(0, 3)).toEqual([
    "deny a",
    "allow b 7:* r",
    "allow c 7:* r",
  ]);
});

test("everything allowed needs no exceptions; later exceptions are the forbidden ones", () => {
  expect(files({ allow: false }, { allow: true, type: "a", access: "rwm" })).toEqual(["allow a"]);
  expect(files({ allow: true }, { allow: false, type: "b", major: 8, minor: 0 })).toEqual([
    "allow a",
    "deny b 8:0 rw",
  ]);
});

test("a later rule takes an exception back, or some of its access", () => {
  const fuse = { type: "c", major: 10, minor: 229 } as const;
  expect(files({ allow: true, ...fuse }, { allow: false, type: "c", major: 10 })).toEqual([
    "deny a",
    ...needed,
  ]);
  expect(files({ allow: true, ...fuse }, { allow: false, ...fuse, access: "wm" })[1]).toBe(
    "allow c 10:229 r",
  );
});

test("a hole in an exception has no form in version 1, and is refused", () => {
  expect(() =>
    files({ allow: true, type: "c", major: 10 }, { allow: false, type: "c", major: 10, minor: 229 }),
  ).toThrow(/^linux\.resources\.devices\[1\] forbids a part of what linux\.resources\.devices\[0\] is about/);
});
