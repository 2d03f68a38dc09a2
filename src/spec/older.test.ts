import { expect, test } from "bun:test";
import { exampleConfig } from "./example.ts";
import { resourcesOf } from "./older.ts";

const resources = (ociVersion: string, limit: number) =>
  resourcesOf(exampleConfig({ ociVersion, linux: { resources: { pids: { limit }, unified: {} } } }));

test("no processes at all was no limit before 1.3.0", () => {
  for (const version of ["1.0.0", "1.0.2-dev", "1.2.1", "1.2.1+dev"])
    expect(resources(version, 0)).toEqual({ unified: {} });
  for (const version of ["1.3.0", "1.3.0-rc.1", "1.10.0"])
    expect(resources(version, 0)).toEqual({ pids: { limit: 0n }, unified: {} });
});

test("every other limit is what it is", () => {
  for (const limit of [-1, 1, 100])
    expect(resources("1.0.2", limit)).toEqual({ pids: { limit: BigInt(limit) }, unified: {} });
  expect(resourcesOf(exampleConfig({ ociVersion: "1.0.2" }))).toBeUndefined();
});
