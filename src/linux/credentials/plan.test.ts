import { expect, test } from "bun:test";
import { keepsGroups, planCredentials } from "./plan.ts";

const context = { setgroupsDenied: false, keepGroups: false, newKeyring: true, id: "c", ownStreams: [1] };

test("groups are set, the mask is 022, the keyring is named after the container", () => {
  expect(planCredentials({ uid: 1, gid: 2, additionalGids: [3] }, true, context)).toEqual({
    uid: 1,
    gid: 2,
    groups: { kind: "set", ids: [3] },
    umask: 0o022,
    noNewPrivileges: true,
    keyring: "_ses.c",
    ownedStreams: [1],
  });
});

test("where setgroups is denied, group 0 passes in silence and any other is refused by its path", () => {
  const denied = { ...context, setgroupsDenied: true };
  expect(planCredentials({ uid: 0, gid: 0, additionalGids: [0] }, false, denied).groups).toEqual({
    kind: "keep",
  });
  expect(() => planCredentials({ uid: 0, gid: 0, additionalGids: [0, 7] }, false, denied)).toThrow(
    "process.user.additionalGids[1] is 7, which cannot be set",
  );
});

test("the caller's groups are kept where that is asked for, whatever the config has and the namespace allows", () => {
  for (const setgroupsDenied of [false, true]) {
    const kept = { ...context, keepGroups: true, setgroupsDenied };
    expect(planCredentials({ uid: 0, gid: 0, additionalGids: [7] }, false, kept).groups).toEqual({
      kind: "keep",
    });
  }
});

test("an option or crun's annotation asks for it", () => {
  const annotated = (value: string) => ({ "run.oci.keep_original_groups": value });
  expect(keepsGroups(undefined, false)).toBe(false);
  expect(keepsGroups({ other: "1" }, false)).toBe(false);
  expect(keepsGroups(undefined, true)).toBe(true);
  expect(keepsGroups(annotated("1"), false)).toBe(true);
  expect(keepsGroups(annotated("true"), false)).toBe(true);
  expect(keepsGroups(annotated("0"), false)).toBe(false);
  expect(keepsGroups(annotated("0"), true)).toBe(true);
  expect(() => keepsGroups(annotated("yes"), false)).toThrow(
    'annotations["run.oci.keep_original_groups"] is "yes": it must be 1 or 0',
  );
});
