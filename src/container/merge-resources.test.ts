import { expect, test } from "bun:test";
import { mergeResources } from "./merge-resources.ts";

test("what is named is replaced, all else stays", () => {
  const text = JSON.stringify({
    "com.example.unknown": [1],
    linux: {
      cgroupsPath: "/a",
      resources: { memory: { limit: 5, swap: 6 }, pids: { limit: 7 }, devices: [{ allow: false }] },
    },
  });
  const changes = { memory: { limit: 2n ** 63n - 1n }, cpu: { shares: 9n }, devices: [] };
  const merged = mergeResources(text, changes);
  expect(merged).toContain('"memory":{"limit":9223372036854775807,"swap":6}');
  expect(JSON.parse(merged)).toMatchObject({
    "com.example.unknown": [1],
    linux: {
      cgroupsPath: "/a",
      resources: { pids: { limit: 7 }, cpu: { shares: 9 }, devices: [{ allow: false }] },
    },
  });
});

test("a config.json without limits gets them, lists are replaced, and numbers stay as wide as they were", () => {
  const limits = (bytes: bigint) => [{ pageSize: "2MB", limit: bytes }];
  const once = mergeResources('{"a":18446744073709551615}', { hugepageLimits: limits(1n) });
  expect(mergeResources(once, { hugepageLimits: limits(2n) })).toBe(
    '{"a":18446744073709551615,"linux":{"resources":{"hugepageLimits":[{"pageSize":"2MB","limit":2}]}}}',
  );
});
