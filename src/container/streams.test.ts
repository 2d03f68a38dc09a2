import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { O } from "../../ffi/constants/file.ts";
import { openFile, readText } from "../../ffi/file.ts";
import { parseMountinfo } from "./external-mounts.ts";
import { readInherited, readStreams } from "./streams.ts";

const directory = mkdtempSync(join(tmpdir(), "streams-"));
afterAll(() => rmSync(directory, { recursive: true }));

function inherited(text: string) {
  writeFileSync(join(directory, "descriptors.json"), text);
  using images = openFile(directory, O.RDONLY | O.DIRECTORY);
  return readInherited(images, directory);
}

test("pipes, and files and terminals from outside, are taken over; the container's own files are not", () => {
  expect(inherited('["/dev/null","pipe:[1]","file[1a:2b]"]')).toEqual([
    { key: "pipe:[1]", fd: 1 },
    { key: "file[1a:2b]", fd: 2 },
  ]);
  expect(inherited('["tty[3:4]","socket:[5]","pipe"]')).toEqual([{ key: "tty[3:4]", fd: 0 }]);
  expect(inherited("null")).toEqual([]);
});

test("a directory without the file is no checkpoint, and neither is a damaged one", () => {
  expect(() => inherited("[")).toThrow(/holds no checkpoint/);
  rmSync(join(directory, "descriptors.json"));
  using images = openFile(directory, O.RDONLY | O.DIRECTORY);
  expect(() => readInherited(images, "DIR")).toThrow("restore: DIR holds no checkpoint of a container");
});

test("a file comes from outside when its mount is none of the container's", async () => {
  const own = parseMountinfo(readText("/proc/self/mountinfo"));
  const child = Bun.spawn(["sleep", "100"], {
    stdin: Bun.file("/etc/passwd"),
    stdout: "ignore",
    stderr: "pipe",
  });
  try {
    const [stdin, stdout] = readStreams(child.pid, own, false);
    expect([stdin, stdout]).toEqual([
      { key: "/etc/passwd", external: false },
      { key: "/dev/null", external: false },
    ]);
    const [outside, nothing, socket] = readStreams(child.pid, [], false);
    expect(outside?.key).toMatch(/^file\[[0-9a-f]+:[0-9a-f]+\]$/);
    expect([outside?.external, nothing?.external]).toEqual([true, true]);
    expect(socket?.key).toMatch(/^(socket|pipe):\[\d+\]$/);
    expect(socket?.external).toBe(false);
  } finally {
    child.kill();
    await child.exited;
  }
});
