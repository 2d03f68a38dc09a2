import { expect, test } from "bun:test";
import { innermostPid, renderState } from "./state.ts";

test("the state in the order of the specification; without a process no pid, without annotations none", () => {
  const state = { ociVersion: "1.3.0", id: "c", bundle: "/b", annotations: { a: "é" } };
  expect(renderState({ ...state, status: "creating", pid: 7 })).toBe(
    '{"ociVersion":"1.3.0","id":"c","status":"creating","pid":7,"bundle":"/b","annotations":{"a":"é"}}',
  );
  expect(renderState({ ...state, status: "stopped", pid: 0, annotations: {} })).toBe(
    '{"ociVersion":"1.3.0","id":"c","status":"stopped","bundle":"/b"}',
  );
});

test("the number of a process in its own pid namespace", () => {
  expect(innermostPid("Name:\tx\nNSpid:\t4711\t12\t1\nNSpgid:\t1\n", 4711)).toBe(1);
  expect(innermostPid("Name:\tx\nNSpid:\t4711\n", 5)).toBe(4711);
  expect(innermostPid("Name:\tx\n", 4711)).toBe(4711);
});
