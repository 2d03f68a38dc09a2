import { expect, test } from "bun:test";
import { obstacleToSupervisor, type SupervisorRights } from "./rights.ts";

const plain: SupervisorRights = {
  caller: { uid: 1000, effective: 0n, mappedIds: 2 ** 32 - 1 },
  ids: 1,
  owner: 1000,
};
const everything = (1n << 41n) - 1n;

test("a plain user's own one id", () => {
  expect(obstacleToSupervisor(plain)).toBe("");
});

test("root of a namespace with one id, as buildah's caller without subordinate ids is", () => {
  expect(
    obstacleToSupervisor({ caller: { uid: 0, effective: everything, mappedIds: 1 }, ids: 1, owner: 0 }),
  ).toBe("");
});

test("nobody with more rights than the container, in whatever way", () => {
  for (const [change, text] of [
    [{ ids: 65_536 }, "maps 65536 user ids"],
    [{ ids: 0 }, "maps 0 user ids"],
    [{ owner: 100_000 }, "user 1000, and the container's root is user 100000"],
    [{ caller: { ...plain.caller, effective: 1n << 1n } }, "rights over other users' files"],
    [
      { caller: { uid: 0, effective: everything, mappedIds: 65_536 }, owner: 0 },
      "rights over other users' files",
    ],
    [
      { caller: { ...plain.caller, effective: 1n << 3n }, owner: undefined },
      "rights over other users' files",
    ],
  ] as [Partial<SupervisorRights>, string][]) {
    expect(obstacleToSupervisor({ ...plain, ...change })).toContain(text);
  }
});

test("a capability that is not about files does not matter", () => {
  expect(obstacleToSupervisor({ ...plain, caller: { ...plain.caller, effective: 1n << 13n } })).toBe("");
});

test("what nobody has looked at is left to who looks", () => {
  expect(obstacleToSupervisor({ ...plain, ids: undefined, owner: undefined })).toBe("");
});
