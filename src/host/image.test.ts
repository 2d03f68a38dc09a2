import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeDirectoryModes, readPasswd } from "./image.ts";

const bundle = mkdtempSync(join(tmpdir(), "bunc-test-image-"));
mkdirSync(join(bundle, "rootfs/etc"), { recursive: true });
mkdirSync(join(bundle, "rootfs/tmp"), { mode: 0o1777 });
afterAll(() => rmSync(bundle, { recursive: true }));

function passwd(text: string): string {
  writeFileSync(join(bundle, "rootfs/etc/passwd"), text);
  return readPasswd(bundle, "rootfs", []);
}

test("passwd is read whole, up to a megabyte", () => {
  for (const length of [0, 1, 4095, 4096, 4097, 100_000, 1 << 20]) {
    const text = "x".repeat(length);
    expect(passwd(text) === text).toBe(true);
  }
  expect(passwd("x".repeat((1 << 20) + 5)).length).toBe(1 << 20);
});

test("passwd may be bound from elsewhere, and a link of the image's leads nowhere but into it", () => {
  passwd("of the image");
  writeFileSync(join(bundle, "mine"), "bound");
  const mount = { destination: "/etc/passwd", source: "mine", type: "bind" };
  expect(readPasswd(bundle, "rootfs", [mount])).toBe("bound");
  rmSync(join(bundle, "rootfs/etc/passwd"));
  symlinkSync(join(bundle, "mine"), join(bundle, "rootfs/etc/passwd"));
  expect(readPasswd(bundle, "rootfs", [])).toBe("");
});

test("the modes of directories are asked for that are to be covered by a tmpfs without one", () => {
  const tmpfs = (options?: string[]) => [
    { destination: "/tmp", type: "tmpfs", source: "tmpfs", ...(options ? { options } : {}) },
  ];
  const modes = (options?: string[]) => probeDirectoryModes(bundle, "rootfs", tmpfs(options)).get("/tmp");
  expect(modes()).toBe(statSync(join(bundle, "rootfs/tmp")).mode & 0o7777);
  expect(modes(["nosuid", "size=1k"])).toBeDefined();
  expect(modes(["xmode=1"])).toBeDefined();
  expect(modes(["mode=755"])).toBeUndefined();
  expect(modes(["size=1k,mode=755"])).toBeUndefined();
});
