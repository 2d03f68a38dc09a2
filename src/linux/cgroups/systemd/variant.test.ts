import { expect, test } from "bun:test";
import { signatureOf } from "../../../../ffi/structs/bus-value.ts";
import { parseVariant } from "./variant.ts";

const integer = (type: string, value: bigint) => ({ kind: "integer", type, value });
const text = (value: string) => ({ kind: "text", type: "s", value });

// What `g_variant_parse` of GLib 2.74 and godbus make of the same texts.
const values: readonly (readonly [written: string, signature: string, value: object])[] = [
  ["true", "b", { kind: "boolean", value: true }],
  [" boolean false ", "b", { kind: "boolean", value: false }],
  ["5", "i", integer("i", 5n)],
  ["-0x10", "i", integer("i", -16n)],
  ["017", "i", integer("i", 15n)],
  ["uint64 18446744073709551615", "t", integer("t", 18446744073709551615n)],
  ["int64 -9223372036854775808", "x", integer("x", -9223372036854775808n)],
  ["byte 0xff", "y", integer("y", 255n)],
  ["@q 65535", "q", integer("q", 65535n)],
  ["1.5", "d", { kind: "double", value: 1.5 }],
  ["double 3", "d", { kind: "double", value: 3 }],
  ["'it\\'s \"so\"'", "s", text('it\'s "so"')],
  ['"a\\n\\u00e9"', "s", text("a\né")],
  ["objectpath '/a'", "o", { kind: "text", type: "o", value: "/a" }],
  ["['a', \"b\"]", "as", { kind: "array", element: "s", items: [text("a"), text("b")] }],
  ["@as []", "as", { kind: "array", element: "s", items: [] }],
  ["[uint64 1, 2]", "at", { kind: "array", element: "t", items: [integer("t", 1n), integer("t", 2n)] }],
];

test.each([...values])("%s has the type %s", (written, signature, value) => {
  const parsed = parseVariant(written);
  expect(signatureOf(parsed)).toBe(signature);
  expect(parsed as object).toEqual(value);
});

test("structures in arrays, as DeviceAllow and IODeviceWeight have them", () => {
  expect(signatureOf(parseVariant("[('/dev/null', 'rw'), ('char-pts', 'r')]"))).toBe("a(ss)");
  expect(parseVariant("@a(st) [('/dev/sda', 5)]")).toEqual({
    kind: "array",
    element: "(st)",
    items: [
      {
        kind: "struct",
        members: [
          { kind: "text", type: "s", value: "/dev/sda" },
          { kind: "integer", type: "t", value: 5n },
        ],
      },
    ],
  });
});

test.each([
  ["", "a value was expected at its end"],
  ["yes", "a value was expected at its end"],
  ["uint32 -1", "-1 is out of the range of its type: 0 to 4294967295"],
  ["4294967296", "4294967296 is out of the range of its type: -2147483648 to 2147483647"],
  ["'open", "a closing ' was expected at its end"],
  ["['a' 'b']", "a comma or ] was expected at \"'b']\""],
  ["['a', 5]", "a value of type s was expected"],
  ["[]", "a type before an empty array, as in @as [] was expected"],
  ["1 2", 'the end was expected at "2"'],
  ["{'a': 1}", "a value was expected at"],
  ["<1>", "a value was expected at"],
])("%j is refused", (written, why) => {
  expect(() => parseVariant(written)).toThrow(why);
});
