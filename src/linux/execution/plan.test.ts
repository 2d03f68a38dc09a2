import { expect, test } from "bun:test";
import { homeOf, planExecution } from "./plan.ts";

const context = { home: "/home/u" };

test("a name without a slash is looked for in PATH, in its order", () => {
  expect(planExecution(["sh"], ["PATH=/a::/b"], "/", context)).toMatchObject({
    candidates: ["/a/sh", "./sh", "/b/sh"],
    searched: true,
  });
  expect(planExecution(["./sh"], ["PATH=/a"], "/", context)).toMatchObject({
    candidates: ["./sh"],
    searched: false,
  });
  expect(planExecution(["sh"], [], "/", context)).toMatchObject({ candidates: ["/bin/sh", "/usr/bin/sh"] });
});

test("of several entries of one name the last is left, at the place of the first", () => {
  expect(planExecution(["x"], ["A=1", "B=2", "A=3", "odd"], "/", context)).toMatchObject({
    env: ["A=3", "B=2", "odd", "HOME=/home/u"],
  });
});

test("HOME is the user's only when config.json has none", () => {
  expect(planExecution(["x"], ["HOME=/h"], "/", context)).toMatchObject({ env: ["HOME=/h"] });
});

test("the home directory comes from passwd, and is / for who is not in it", () => {
  const passwd = "root:x:0:0:root:/root:/bin/sh\nbad line\nu:x:1000:1000::/home/u:\nv:x:1001:1001:::\n";
  expect([0, 1000, 1001, 7].map((uid) => homeOf(passwd, uid))).toEqual(["/root", "/home/u", "/", "/"]);
});
