import { expect, test } from "bun:test";
import { SOCK } from "./constants/socket.ts";
import { readText, writeAll } from "./file.ts";
import { openPipe } from "./process.ts";
import { socketPair } from "./socket.ts";
import { receiveMessage, sendDescriptor } from "./socket-message.ts";

test("a descriptor goes through a socket with its payload, and is another one of the same file", () => {
  const [ours, theirs] = socketPair();
  const [reader, writer] = openPipe();
  sendDescriptor(ours.fd, writer.fd, "a pipe");
  const { bytes, descriptor } = receiveMessage(theirs.fd, 64);
  expect(new TextDecoder().decode(bytes)).toBe("a pipe");
  expect(descriptor?.fd).not.toBe(writer.fd);
  writer.close();
  writeAll(descriptor?.fd ?? -1, "through");
  descriptor?.close();
  expect(readText(reader.fd)).toBe("through");
  for (const each of [ours, theirs, reader]) each.close();
});

test("a message without a descriptor, a packet that is cut, and the end", () => {
  const [ours, theirs] = socketPair(SOCK.SEQPACKET);
  writeAll(ours.fd, "plain");
  writeAll(ours.fd, "too long");
  expect(receiveMessage(theirs.fd, 64)).toEqual({
    bytes: new TextEncoder().encode("plain"),
    descriptor: undefined,
  });
  expect(receiveMessage(theirs.fd, 3).bytes.length).toBe(3);
  ours.close();
  expect(receiveMessage(theirs.fd, 64).bytes.length).toBe(0);
  theirs.close();
});
