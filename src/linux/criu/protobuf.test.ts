import { expect, test } from "bun:test";
import { decodeMessage, encodeMessage } from "./protobuf.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();

// The examples of https://protobuf.dev/programming-guides/encoding/
test("a message is encoded as the format's own documentation shows", () => {
  expect(hex(encodeMessage([[1, 150]]))).toBe("089601");
  expect(hex(encodeMessage([[2, "testing"]]))).toBe("120774657374696e67");
  expect(hex(encodeMessage([[3, [[1, 150]]]]))).toBe("1a03089601");
  expect(hex(encodeMessage([[1, -2]]))).toBe("08feffffffffffffffff01");
});

test("truth values, repeated fields, fields that are left out, numbers of fields beyond 15", () => {
  expect(
    hex(
      encodeMessage([
        [1, true],
        [1, false],
        [2, undefined],
      ]),
    ),
  ).toBe("08010800");
  expect(
    hex(
      encodeMessage([
        [37, "a"],
        [37, "b"],
      ]),
    ),
  ).toBe("aa020161aa020162");
  expect(encodeMessage([])).toEqual(new Uint8Array());
});

test("what was encoded is decoded", () => {
  const long = "é".repeat(1000);
  const decoded = decodeMessage(
    encodeMessage([
      [1, 6],
      [2, true],
      [
        5,
        [
          [1, long],
          [2, 4711],
        ],
      ],
      [7, -3],
    ]),
  );
  expect(decoded.get(1)).toBe(6);
  expect(decoded.get(2)).toBe(1);
  expect(decoded.get(7)).toBe(-3);
  const inner = decodeMessage(decoded.get(5) as Uint8Array);
  expect(new TextDecoder().decode(inner.get(1) as Uint8Array)).toBe(long);
  expect(inner.get(2)).toBe(4711);
});

test("fields of a fixed size are passed over; of a field that comes twice the last one counts", () => {
  expect([...decodeMessage(Uint8Array.fromHex("0d01020304" + "1101020304050607081801" + "1802"))]).toEqual([
    [3, 2],
  ]);
});

test.each([
  ["a number", "0896"],
  ["a text", "120774"],
  ["a fixed field", "0d0102"],
])("%s that is cut short is refused", (_, bytes) => {
  expect(() => decodeMessage(Uint8Array.fromHex(bytes))).toThrow(/cut short/);
});

test("groups and endless numbers are refused", () => {
  expect(() => decodeMessage(Uint8Array.fromHex("0b"))).toThrow(/type 3/);
  expect(() => decodeMessage(Uint8Array.fromHex(`08${"ff".repeat(11)}`))).toThrow(/64 bits/);
});
