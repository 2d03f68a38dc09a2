import { expect, test } from "bun:test";
import { findJsonError } from "./json-error.ts";

const CASES: [text: string, sentence: string][] = [
  ['{"a": 1', "it ends in line 1, where a comma (,) or } was expected"],
  ['{"a": [1, 2', "it ends in line 1, where a comma (,) or ] was expected"],
  ['{"a": [1, 2}', 'line 1, column 12 has "}" where a comma (,) or ] was expected'],
  ['{\n\n  "a" 1}', 'line 3, column 7 has "1" where a colon (:) was expected'],
  ["{a: 1}", 'line 1, column 2 has "a" where a property name in double quotes (") or } was expected'],
  ['{"a": 1,}', 'line 1, column 9 has "}" where a property name in double quotes (") was expected'],
  ["[1,]", 'line 1, column 4 has "]" where a value was expected'],
  ["{} x", 'line 1, column 4 has "x" where nothing more was expected'],
  ["{} {}", 'line 1, column 4 has "{" where nothing more was expected'],
  ["// comment\n{}", 'line 1, column 1 has "/" where a value was expected'],
  ["{'a': 1}", 'line 1, column 2 has "\'" where a property name in double quotes (") or } was expected'],
  ['{"a": NaN}', 'line 1, column 7 has "N" where a value was expected'],
  ['{"a": 01}', 'line 1, column 8 has "1" where a comma (,) or } was expected'],
  [
    '{"a": "x\n"}',
    "line 1, column 7 begins a string that is not closed in its line, or holds a wrong escape",
  ],
  [
    '{"a": "\\x"}',
    "line 1, column 7 begins a string that is not closed in its line, or holds a wrong escape",
  ],
  ['{"a": "x', "line 1, column 7 begins a string that is not closed in its line, or holds a wrong escape"],
  ['{"a":\u0007 1}', 'line 1, column 6 has "\\u0007" where a value was expected'],
  ["]", 'line 1, column 1 has "]" where a value was expected'],
];

test.each(CASES)("%j", (text, sentence) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(findJsonError(text)).toBe(`is not JSON: ${sentence}`);
});

test("finds an error wherever the engine does", () => {
  const text = '{"a": [1, -2.5e3, "x\\u00e9\\n", true, null, {}], "b": {"c": [[], {"d": false}]}}';
  for (let end = 0; end < text.length; end += 1) {
    expect(findJsonError(text.slice(0, end))).toMatch(/^is (empty|not JSON)/);
    for (const mark of ["}", "]", ",", ":", '"', "x", "1", "\n"]) {
      const changed = text.slice(0, end) + mark + text.slice(end + 1);
      let fine = true;
      try {
        JSON.parse(changed);
      } catch {
        fine = false;
      }
      if (!fine) expect(findJsonError(changed)).not.toContain("\n");
    }
  }
});
