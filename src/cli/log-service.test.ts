import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { O } from "../../ffi/constants/file.ts";
import { openFile, readInto } from "../../ffi/file.ts";
import { decodeText } from "../../ffi/memory.ts";
import { bindDatagram } from "../../ffi/socket.ts";
import { namesService } from "./log.ts";
import { openService } from "./log-service.ts";

/** What one message becomes at a socket. */
function sent(target: string, level: string, message: string): string {
  const path = mkdtempSync("/tmp/bunc-test-log-");
  try {
    using directory = openFile(path, O.RDONLY | O.DIRECTORY);
    using socket = bindDatagram(directory.fd, "s");
    openService(target, 42, join(path, "s"))(level, message);
    const bytes = new Uint8Array(1024);
    return decodeText(bytes, readInto(socket.fd, bytes));
  } finally {
    rmSync(path, { recursive: true });
  }
}

test("syslog: the weight, the name, the process", () => {
  expect(sent("syslog:box", "error", "it broke")).toBe("<11>box[42]: it broke");
  expect(sent("syslog:", "debug", "a detail")).toBe("<15>bunc[42]: a detail");
});

test("journald: a line for each field", () => {
  expect(sent("journald:box", "warning", "look")).toBe("MESSAGE=look\nPRIORITY=4\nSYSLOG_IDENTIFIER=box\n");
});

test("a file is none of them, and a service that does not run is an error", () => {
  expect(["/a/b:c", "file:/a", "syslog:x", "journald:"].map(namesService)).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(() => openService("syslog:x", 1, "/no/such/socket")).toThrow(
    "--log syslog:x: nobody listens at /no/such/socket",
  );
});
