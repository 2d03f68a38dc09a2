import { expect, test } from "bun:test";
import { readCgroupsPath } from "./path.ts";

test("an absent or empty path is a name of ours", () => {
  expect(readCgroupsPath(undefined, "box", false)).toEqual({ kind: "default", name: "bunc-box" });
  expect(readCgroupsPath("", "box", true)).toEqual({ kind: "default", name: "bunc-box" });
});

test("absolute and relative paths, cleaned", () => {
  expect(readCgroupsPath("/a//b/./c/", "x", false)).toEqual({ kind: "absolute", path: "/a/b/c" });
  expect(readCgroupsPath("a/b", "x", false)).toEqual({ kind: "relative", path: "/a/b" });
  // Without systemd a colon is a character like others.
  expect(readCgroupsPath("a:b:c", "x", false)).toEqual({ kind: "relative", path: "/a:b:c" });
});

test("systemd's form becomes the place where systemd would put the unit", () => {
  const path = (text: string) => readCgroupsPath(text, "x", true);
  expect(path("machine.slice:libpod:abc")).toEqual({
    kind: "absolute",
    path: "/machine.slice/libpod-abc.scope",
  });
  expect(path("kubepods-besteffort-pod1.slice:cri:abc")).toEqual({
    kind: "absolute",
    path: "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/cri-abc.scope",
  });
  expect(path(":docker:abc")).toEqual({ kind: "absolute", path: "/system.slice/docker-abc.scope" });
  expect(path("-.slice::abc")).toEqual({ kind: "absolute", path: "/-abc.scope" });
  expect(path("a.slice:x:b.slice")).toEqual({ kind: "absolute", path: "/a.slice/b.slice" });
  expect(path("/plain/path")).toEqual({ kind: "absolute", path: "/plain/path" });
});

test("paths that lead out of the hierarchy, or to its root, are refused", () => {
  for (const path of ["..", "/..", "a/../../b", "/a/..", "/", "."]) {
    expect(() => readCgroupsPath(path, "x", false)).toThrow(/^linux\.cgroupsPath is /);
  }
  for (const path of [
    "../a.slice:b:c",
    "a/b.slice:b:c",
    "a--b.slice:b:c",
    "a.slice:b/c:d",
    "a.slice:b:../d",
  ]) {
    expect(() => readCgroupsPath(path, "x", true)).toThrow(/^linux\.cgroupsPath is /);
  }
});
