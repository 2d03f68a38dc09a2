import { expect, test } from "bun:test";
import { formatJson } from "./format-json.ts";
import { parseJsonCarefully } from "./json.ts";

test("numbers of 64 bits go in and out whole", () => {
  const text = '{"a":[18446744073709551615,-9223372036854775808,1.5,7],"b":"9223372036854775807"}';
  expect(formatJson(parseJsonCarefully(text))).toBe(text);
});
