import { expect, test } from "bun:test";
import { CLONE } from "../../ffi/constants/process.ts";
import { listing } from "../../ffi/program/listing.ts";
import { resolveLaterMounts } from "../plan/resolve-mounts.ts";
import type { Config } from "../spec/types.ts";
import { recordAddMounts, recordRemoveMounts } from "./mounts-program.ts";

const config: Config = { ociVersion: "1.0.0", root: { path: "rootfs" } };
const facts = { bundle: "/b", foreign: CLONE.NEWNS | CLONE.NEWPID, selinux: false };

test("what is opened is opened before the container is entered, and attached after", () => {
  const mounts = [{ destination: "/data", source: "here", options: ["bind"] }];
  const lines = listing(recordAddMounts(resolveLaterMounts(mounts, config, facts)));
  const at = (words: string) => lines.findIndex((line) => line.includes(words));
  expect(at('open_tree(AT_FDCWD, "/b/here"')).toBeGreaterThan(at("PR_SET_DUMPABLE"));
  expect(at("setns(3")).toBeGreaterThan(at("MS_PRIVATE"));
  expect(at("chroot(")).toBeGreaterThan(at("setns(3"));
  expect(at("move_mount(")).toBeGreaterThan(at("chroot("));
  // Of its namespaces only those that decide what can be mounted; the pid namespace would show the process.
  expect(lines[at("setns(3")]).toContain("CLONE_NEWNS)");
});

test("the parent is opened without links, and what is mounted on the name taken off", () => {
  const points = [{ origin: "mounts[0]", target: "/data/here" }];
  const lines = listing(recordRemoveMounts({ joins: CLONE.NEWNS, joinsUser: false }, points));
  const opened = lines.findIndex((line) => line.includes("openat2(") && line.includes('"/data"'));
  expect(lines[opened]).toContain("RESOLVE_NO_SYMLINKS");
  expect(lines.slice(opened).join("\n")).toMatch(
    /fchdir.*\n.*umount2\("here", MNT_DETACH\|MNT_UMOUNT_NOFOLLOW\)/,
  );
});

test("only create can mount what belongs to a process, and only where mounts are the container's own", () => {
  const resolve = (type: string, foreign = facts.foreign) =>
    resolveLaterMounts([{ destination: "/x", type }], config, { ...facts, foreign });
  expect(() => resolve("proc")).toThrow("only create can mount one");
  expect(() => resolve("tmpfs", CLONE.NEWPID)).toThrow("no mount namespace of its own");
  for (const [option, more] of [
    ["tmpcopyup", { type: "tmpfs" }],
    ["copy-symlink", { type: "bind", source: "/y" }],
  ] as const) {
    const mount = { destination: "/x", options: [option], ...more };
    expect(() => resolveLaterMounts([mount], config, facts)).toThrow("which only create can do");
  }
  expect(resolve("tmpfs").mounts[0]?.source.kind).toBe("filesystem");
  const mapped = [{ destination: "/x", source: "/y", options: ["bind", "idmap"] }];
  const inUser = { ...facts, foreign: facts.foreign | CLONE.NEWUSER };
  expect(() =>
    resolveLaterMounts(
      mapped,
      {
        ...config,
        linux: {
          uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
          gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
        },
      },
      inUser,
    ),
  ).toThrow("is not supported for a mount that is added later");
});
