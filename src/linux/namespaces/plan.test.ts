import { describe, expect, test } from "bun:test";
import { CLONE } from "../../../ffi/constants/process.ts";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { cloneFlags, ownFlags, planNamespaces, planTimeOffsets } from "./plan.ts";
import { recordTimeNamespace } from "./record.ts";

describe("planTimeOffsets", () => {
  test("one line a clock, and none for a clock that is not moved", () => {
    expect(planTimeOffsets({})).toBe("");
    expect(planTimeOffsets({ monotonic: { secs: 0n }, boottime: {} })).toBe("");
    expect(planTimeOffsets({ boottime: { secs: -3n, nanosecs: 5 } })).toBe("boottime -3 5\n");
    expect(planTimeOffsets({ boottime: { nanosecs: 1 }, monotonic: { secs: 2n } })).toBe(
      "monotonic 2 0\nboottime 0 1\n",
    );
  });
});

describe("who makes a namespace", () => {
  const flags = (...types: Parameters<typeof planNamespaces>[0][number]["type"][]) => {
    const namespaces = planNamespaces(types.map((type) => ({ type })));
    return { clone: cloneFlags(namespaces), own: ownFlags(namespaces) };
  };

  test("clone3 all but those that init makes itself", () => {
    expect(flags("mount", "ipc", "pid")).toEqual({
      clone: CLONE.NEWNS + CLONE.NEWIPC + CLONE.NEWPID,
      own: 0,
    });
    expect(flags("time", "cgroup", "uts")).toEqual({ clone: CLONE.NEWUTS, own: CLONE.NEWCGROUP });
  });

  test("in a new user namespace the one of IPC is made by its root, whose message queues they are", () => {
    expect(flags("user", "ipc", "cgroup")).toEqual({
      clone: CLONE.NEWUSER,
      own: CLONE.NEWCGROUP + CLONE.NEWIPC,
    });
    const joined = planNamespaces([{ type: "user" }, { type: "ipc", path: "/proc/1/ns/ipc" }]);
    expect([cloneFlags(joined), ownFlags(joined)]).toEqual([CLONE.NEWUSER, 0]);
  });
});

describe("recordTimeNamespace", () => {
  const lines = (types: Parameters<typeof planNamespaces>[0], offsets: string) => {
    const program = newProgram();
    recordTimeNamespace(program, planNamespaces(types), offsets);
    return listing(program).join("\n");
  };

  test("nothing for a namespace that is inherited or joined", () => {
    expect(lines([], "")).toBe("");
    expect(lines([{ type: "time", path: "/proc/1/ns/time" }], "")).toBe("");
  });

  test("offsets are written before the namespace is entered", () => {
    const text = lines([{ type: "time" }], "monotonic 2 0\n");
    const order = [
      "unshare(CLONE_NEWTIME)",
      "/proc/self/timens_offsets",
      "write(",
      "time_for_children",
      "setns(",
    ];
    const places = order.map((part) => text.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(lines([{ type: "time" }], "")).not.toContain("timens_offsets");
  });
});
