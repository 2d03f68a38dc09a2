import { expect, test } from "bun:test";
import { S } from "../../../ffi/constants/file.ts";
import { planDevices } from "./plan.ts";

const context = { userNamespace: false, devBound: false, kcore: false };

test("every container has the default devices and links", () => {
  const { nodes, links, way } = planDevices([], context);
  expect(nodes.map((node) => node.path)).toEqual(
    ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`),
  );
  expect(links.map((link) => link.path)).toContain("/dev/stdin");
  expect(way).toBe("create");
});

test("config.json's device of the same path replaces the default", () => {
  const { nodes } = planDevices(
    [{ path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o20600, uid: 5 }],
    context,
  );
  expect(nodes.filter((node) => node.path === "/dev/null")).toEqual([
    {
      origin: "linux.devices[0] (/dev/null)",
      path: "/dev/null",
      mode: S.IFCHR | 0o600,
      major: 1,
      minor: 3,
      uid: 5,
      gid: 0,
    },
  ]);
});

test("a /dev that is bound whole is left as it is, but for what config.json names", () => {
  const { nodes, links } = planDevices([{ path: "/dev/x", type: "p" }], {
    userNamespace: true,
    devBound: true,
    kcore: true,
  });
  expect(nodes.map((node) => node.path)).toEqual(["/dev/x"]);
  expect(links).toEqual([]);
});

test("a relative path is refused", () => {
  expect(() => planDevices([{ path: "x", type: "p" }], context)).toThrow("linux.devices[0].path");
});
