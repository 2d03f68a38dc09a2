import { expect, test } from "bun:test";
import { isMapped, planIdmap, renderMap } from "./plan.ts";

const map = (containerID: number, hostID: number, size: number) => [{ containerID, hostID, size }];
const user = { newUserNamespace: true, uid: 1000, gid: 1000, maySetIds: false };

test("a privileged caller writes any map itself", () => {
  expect(planIdmap(map(0, 100000, 65536), map(0, 100000, 65536), { ...user, maySetIds: true })).toMatchObject(
    {
      kind: "write",
      setgroups: "allow",
    },
  );
});

test("one's own id needs nobody's help, but setgroups must be denied", () => {
  expect(planIdmap(map(0, 1000, 1), map(0, 1000, 1), user)).toMatchObject({
    kind: "write",
    setgroups: "deny",
  });
});

test("anything else takes newuidmap", () => {
  expect(planIdmap(map(0, 1000, 1), map(0, 100000, 10), user)).toMatchObject({ kind: "helper" });
  expect(planIdmap(map(0, 1001, 1), map(0, 1000, 1), user)).toMatchObject({ kind: "helper" });
});

test("without a new user namespace there is nothing to write", () => {
  expect(planIdmap([], [], { ...user, newUserNamespace: false })).toEqual({ kind: "none" });
});

test("maps as the kernel reads them", () => {
  expect(renderMap([...map(0, 1000, 1), ...map(1, 100000, 10)])).toBe("0 1000 1\n1 100000 10\n");
  expect([0, 9, 10].map((id) => isMapped(map(0, 5, 10), id))).toEqual([true, true, false]);
});
