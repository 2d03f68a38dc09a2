import { expect, test } from "bun:test";
import { encodeText } from "../../ffi/memory.ts";
import { parseConfig } from "../spec/parse.ts";
import { defaultConfig } from "./default-config.ts";

interface Shape {
  linux: { namespaces: { type: string }[]; uidMappings?: object[] };
  mounts: { destination: string; type: string; options?: string[] }[];
}

const typesOf = (config: object) => (config as Shape).linux.namespaces.map(({ type }) => type).sort();

test("what is written can be read", () => {
  for (const config of [defaultConfig(undefined, true), defaultConfig({ uid: 1000, gid: 1000 }, false)]) {
    const text = JSON.stringify(config);
    // Sizes are read as BigInt, which JSON does not know.
    const read = JSON.stringify(parseConfig(encodeText(text)), (_, value) =>
      typeof value === "bigint" ? Number(value) : value,
    );
    expect(JSON.parse(read)).toMatchObject(JSON.parse(text));
  }
});

test("for root", () => {
  expect(typesOf(defaultConfig(undefined, false))).toEqual(["ipc", "mount", "network", "pid", "uts"]);
  expect(typesOf(defaultConfig(undefined, true))).toContain("cgroup");
});

test("for a user without privileges: nothing that takes any", () => {
  const config = defaultConfig({ uid: 1000, gid: 100 }, false);
  expect(typesOf(config)).toEqual(["ipc", "mount", "pid", "user", "uts"]);
  expect((config as Shape).linux.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }]);
  expect(JSON.stringify(config)).not.toContain("gid=5");
  const sys = (config as Shape).mounts.find(({ destination }) => destination === "/sys");
  expect(sys?.options).toContain("rbind");
});
