import { expect, test } from "bun:test";
import { hasCreateHooks, laterHooks, planHooks } from "./plan.ts";

const context = { processEnv: ["PATH=/bin", "HOME=/"] };

test("no hooks, and lists without any, are null", () => {
  expect(planHooks(undefined, context)).toBeNull();
  expect(planHooks({}, context)).toBeNull();
  expect(planHooks({ prestart: [], poststop: [] }, context)).toBeNull();
});

test("a hook has its place as origin, its path as its only argument, and no environment unless it says so", () => {
  const hooks = planHooks(
    {
      prestart: [
        { path: "/a", args: [] },
        { path: "/b", args: ["x", "y"], env: ["E=1"], timeout: 3 },
      ],
    },
    context,
  );
  expect(hooks?.prestart).toEqual([
    { origin: "hooks.prestart[0]", path: "/a", args: ["/a"], env: [], timeout: null },
    { origin: "hooks.prestart[1]", path: "/b", args: ["x", "y"], env: ["E=1"], timeout: 3 },
  ]);
});

test("startContainer alone has the environment of the process, unless it says otherwise", () => {
  const list = [{ path: "/a" }, { path: "/a", env: [] }];
  const hooks = planHooks({ createContainer: list, startContainer: list }, context);
  expect(hooks?.createContainer.map(({ env }) => env)).toEqual([[], []]);
  expect(hooks?.startContainer.map(({ env }) => env)).toEqual([context.processEnv, []]);
});

test("which commands have hooks to run", () => {
  const none = planHooks(undefined, context);
  expect([hasCreateHooks(none), laterHooks(none)]).toEqual([false, null]);
  const create = planHooks({ createContainer: [{ path: "/a" }] }, context);
  expect([hasCreateHooks(create), laterHooks(create)]).toEqual([true, null]);
  const later = planHooks({ poststop: [{ path: "/a" }] }, context);
  expect(hasCreateHooks(later)).toBe(false);
  expect(laterHooks(later)).toEqual({
    startContainer: [],
    poststart: [],
    poststop: [{ origin: "hooks.poststop[0]", path: "/a", args: ["/a"], env: [], timeout: null }],
  });
});
