import { expect, test } from "bun:test";
import { planCredentials } from "./plan.ts";

const context = { setgroupsDenied: false, newKeyring: true, id: "c", ownStreams: [1] };

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
