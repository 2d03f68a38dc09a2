import { expect, test } from "bun:test";
import { pathOfSlice, readScopeName } from "./unit.ts";

const read = (path: string | undefined, id = "box") => readScopeName(path, id, "system.slice");

test("slice, prefix and name", () => {
  expect(read("machine.slice:libpod:0123")).toEqual({
    slice: "machine.slice",
    unit: "libpod-0123.scope",
    slicePath: "/machine.slice",
  });
  expect(read("kubepods-besteffort-pod1_2.slice:cri-containerd:abc")).toEqual({
    slice: "kubepods-besteffort-pod1_2.slice",
    unit: "cri-containerd-abc.scope",
    slicePath: "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice",
  });
  expect(read(":docker:abc").slice).toBe("system.slice");
  expect(read("-.slice:a:b").slicePath).toBe("");
  // As runc and crun name it.
  expect(read("a.slice::b").unit).toBe("-b.scope");
});

test("without one, a name of ours, in which every id is a unit's name", () => {
  expect(read(undefined).unit).toBe("bunc-box.scope");
  expect(read("", "a+b").unit).toBe("bunc-a\\x2bb.scope");
  expect(readScopeName(undefined, "box", "user.slice").slicePath).toBe("/user.slice");
});

test("slices are nested by their dashes", () => {
  expect(pathOfSlice("a-b-c.slice")).toBe("/a.slice/a-b.slice/a-b-c.slice");
  for (const slice of ["a--b.slice", "-a.slice", "a-.slice", ".slice", "a.scope", "a"])
    expect(() => pathOfSlice(slice)).toThrow(/^linux\.cgroupsPath is /);
});

test("what is no scope's name is refused", () => {
  for (const path of [
    "/a/b",
    "a",
    "a.slice:b",
    "a.slice:b:",
    "a.slice:b:c:d",
    "a.slice:b:c.slice",
    "a/b.slice:c:d",
    "a.slice:b:../c",
    "a.slice:b c:d",
    "a.slice:b@:d",
    `a.slice:b:${"c".repeat(255)}`,
  ]) {
    expect(() => read(path)).toThrow(/^linux\.cgroupsPath is /);
  }
});
