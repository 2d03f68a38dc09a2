import { expect, test } from "bun:test";
import { decodeAttributes, decodeMessages, encodeRequest, text, word } from "./messages.ts";
import { planNetDevices } from "./plan.ts";

test("a request is a header, a fixed part and attributes, each aligned to four bytes", () => {
  const bytes = encodeRequest(18, 0, 7, new Uint8Array(16), [
    [3, text("eth0")],
    [28, word(5)],
  ]);
  expect(bytes.length).toBe(16 + 16 + 12 + 8);
  expect([...bytes.slice(0, 12)]).toEqual([52, 0, 0, 0, 18, 0, 5, 0, 7, 0, 0, 0]);
  expect([...bytes.slice(32, 44)]).toEqual([9, 0, 3, 0, 101, 116, 104, 48, 0, 0, 0, 0]);
  expect([...bytes.slice(44)]).toEqual([8, 0, 28, 0, 5, 0, 0, 0]);
});

test("what was encoded is decoded, several messages a packet", () => {
  const one = encodeRequest(16, 0, 1, new Uint8Array(8), [[3, text("lo")]]);
  const two = encodeRequest(20, 0, 2, new Uint8Array(8).fill(1));
  const packet = new Uint8Array([...one, ...two]);
  const [first, second, ...others] = decodeMessages(packet);
  expect(others).toEqual([]);
  expect([first?.type, first?.sequence, second?.type, second?.sequence]).toEqual([16, 1, 20, 2]);
  expect(decodeAttributes(first?.body ?? new Uint8Array(), 8)).toEqual(new Map([[3, text("lo")]]));
  expect(second?.body).toEqual(new Uint8Array(8).fill(1));
});

test("lengths that lead nowhere end the reading", () => {
  expect(decodeMessages(new Uint8Array(40))).toEqual([]);
  expect(decodeAttributes(new Uint8Array(40), 8)).toEqual(new Map());
  expect(decodeMessages(encodeRequest(16, 0, 1, new Uint8Array(8)).slice(0, 20))).toEqual([]);
});

test("the bits of nesting and byte order are no part of an attribute's number", () => {
  const { body } = decodeMessages(encodeRequest(16, 0, 1, new Uint8Array(8), [[0x8003, word(1)]]))[0] ?? {};
  expect([...decodeAttributes(body ?? new Uint8Array(), 8).keys()]).toEqual([3]);
});

test("a device keeps its name unless it gets another", () => {
  expect(planNetDevices(undefined)).toEqual([]);
  expect(planNetDevices({ eth0: {}, v1: { name: "" }, "v.2": { name: "eth%d" } })).toEqual([
    { origin: "linux.netDevices.eth0", from: "eth0", to: "eth0" },
    { origin: "linux.netDevices.v1", from: "v1", to: "v1" },
    { origin: expect.stringContaining("v.2"), from: "v.2", to: "eth%d" },
  ]);
});
