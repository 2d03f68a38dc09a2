import { describe, expect, test } from "bun:test";
import { type ContainerIds, planMountIdmap } from "./idmap.ts";
import { readOptions } from "./read-options.ts";

const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const inherited: ContainerIds = { kind: "inherit", uid: [], gid: [] };
const own: ContainerIds = {
  kind: "new",
  uid: [map(0, 100, 1), map(1, 2000, 1000)],
  gid: [map(0, 7, 10)],
};

function plan(
  options: string[],
  ids: ContainerIds = own,
  mappings: Parameters<typeof planMountIdmap>[0] = {},
  changes: { bind?: boolean; may?: boolean } = {},
) {
  const { idmap } = readOptions(options, "mounts[2]");
  return planMountIdmap(mappings, idmap, ids, { bind: true, may: true, origin: "mounts[2]", ...changes });
}

const given = { uidMappings: [map(0, 5, 1)], gidMappings: [map(0, 6, 1)] };

describe("whose maps", () => {
  test("none without an option or maps", () => {
    expect(plan(["bind", "ro"])).toEqual({ kind: "none" });
  });

  test("the container's by the option alone", () => {
    const origin = "mounts[2].options[1]";
    expect(plan(["bind", "idmap"])).toEqual({ ...own, kind: "maps", recursive: false, origin });
    expect(plan(["rbind", "ridmap"])).toMatchObject({ kind: "maps", recursive: true });
    const joined: ContainerIds = { ...own, kind: "join" };
    expect(plan(["bind", "idmap"], joined)).toEqual({ kind: "joined", recursive: false, origin });
  });

  test("the entry's own, with the option or without", () => {
    const { uidMappings: uid, gidMappings: gid } = given;
    expect(plan([], inherited, given)).toMatchObject({
      uid,
      gid,
      recursive: false,
      origin: "mounts[2].uidMappings",
    });
    expect(plan(["ridmap"], own, given)).toMatchObject({ uid, gid, recursive: true });
  });

  test("those of the option: the file's id, the host's, how many", () => {
    expect(plan(["bind", "idmap=uids=0-1-10#10-11-10;gids=0-100-10"], inherited)).toMatchObject({
      uid: [map(0, 1, 10), map(10, 11, 10)],
      gid: [map(0, 100, 10)],
      recursive: false,
    });
  });

  test("behind an @ with ids of the container", () => {
    expect(plan(["ridmap=uids=@0-1-10#50-50-1;gids=@0-3-2"])).toMatchObject({
      uid: [map(0, 2000, 10), map(50, 50, 1)],
      gid: [map(0, 10, 2)],
      recursive: true,
    });
  });

  test("the last option holds", () => {
    expect(plan(["idmap=uids=0-1-1;gids=0-1-1", "ridmap"])).toMatchObject({ uid: own.uid, recursive: true });
  });
});

test.each([
  ["mounts[2].options[0] has no maps to apply", () => plan(["idmap"], inherited)],
  ["mounts[2].options[0] maps ids, which only a bind mount", () => plan(["idmap"], own, {}, { bind: false })],
  [
    "mounts[2].uidMappings asks for an id-mapped mount: that takes",
    () => plan([], own, given, { may: false }),
  ],
  ["and so does mounts[2].uidMappings", () => plan(["idmap=uids=0-1-1;gids=0-1-1"], own, given)],
  ['mounts[2].options[0] has "x", which', () => plan(["idmap=x"])],
  ["must map both", () => plan(["idmap=uids=0-1-1"])],
  ['has the range "0-1"', () => plan(["idmap=uids=0-1;gids=0-1-1"])],
  ['has the range "0-1-0"', () => plan(["idmap=uids=0-1-0;gids=0-1-1"])],
  ['has the range "0-4294967295-1"', () => plan(["idmap=uids=0-4294967295-1;gids=0-1-1"])],
  ["2 ids from the container's 0 on", () => plan(["idmap=uids=@0-0-2;gids=0-1-1"])],
])("refused: %s", (message, make) => {
  expect(make).toThrow(message);
});
