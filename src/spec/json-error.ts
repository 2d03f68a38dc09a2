import { quote } from "./describe.ts";

/** The tokens of RFC 8259, section 7 for strings; group 1 is a string, group 2 any other value that is one token. */
const TOKEN =
  /("[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[ !#-[\]-\uffff]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|[{}[\],:]/y;
const SPACE = /[ \t\n\r]*/y;

type Token = { kind: "string" | "scalar" | "mark" | "bad" | "end"; text: string; at: number };

/** What may come next; the values are said to people. */
const EXPECTED = {
  value: "a value",
  valueOrEnd: "a value or ]",
  key: 'a property name in double quotes (")',
  keyOrEnd: 'a property name in double quotes (") or }',
  colon: "a colon (:)",
  next: "a comma (,)",
  nothing: "nothing more",
} as const;

/**
 * Finds where a text stops being JSON, for the engine's parser does not tell.
 *
 * @returns a sentence about the file, as in `is not JSON: line 3, column 7 has "}" where a value was expected`.
 */
export function findJsonError(text: string): string {
  if (text.trim() === "") return "is empty: it must hold JSON";
  const open: ("}" | "]")[] = [];
  let want: keyof typeof EXPECTED = "value";
  let at = 0;
  for (;;) {
    const token = readToken(text, at);
    const then = step(want, token, open);
    if (then === undefined) return sentence(text, token, want, open.at(-1));
    want = then;
    at = token.at + token.text.length;
  }
}

/** Takes one token, keeping `open`, the closers still owed; undefined when the token may not stand here. */
function step(
  want: keyof typeof EXPECTED,
  token: Token,
  open: ("}" | "]")[],
): keyof typeof EXPECTED | undefined {
  if ((want === "key" || want === "keyOrEnd") && token.kind === "string") return "colon";
  if (want === "colon" && token.text === ":") return "value";
  if (want === "next" && token.text === ",") return open.at(-1) === "}" ? "key" : "value";
  if (closes(want) && token.text === open.at(-1)) {
    open.pop();
    return open.length === 0 ? "nothing" : "next";
  }
  if (want !== "value" && want !== "valueOrEnd") return undefined;
  if (token.text === "{") {
    open.push("}");
    return "keyOrEnd";
  }
  if (token.text === "[") {
    open.push("]");
    return "valueOrEnd";
  }
  if (token.kind !== "string" && token.kind !== "scalar") return undefined;
  return open.length === 0 ? "nothing" : "next";
}

function closes(want: keyof typeof EXPECTED): boolean {
  return want === "next" || want === "keyOrEnd" || want === "valueOrEnd";
}

function readToken(text: string, from: number): Token {
  SPACE.lastIndex = from;
  SPACE.test(text);
  const at = SPACE.lastIndex;
  if (at >= text.length) return { kind: "end", text: "", at };
  TOKEN.lastIndex = at;
  const match = TOKEN.exec(text);
  if (match === null) return { kind: "bad", text: text[at] ?? "", at };
  const kind = match[1] !== undefined ? "string" : match[2] !== undefined ? "scalar" : "mark";
  return { kind, text: match[0], at };
}

function sentence(
  text: string,
  token: Token,
  want: keyof typeof EXPECTED,
  owed: "}" | "]" | undefined,
): string {
  const before = text.slice(0, token.at);
  const line = before.split("\n").length;
  const column = token.at - before.lastIndexOf("\n");
  const expected = want === "next" ? `${EXPECTED.next} or ${owed}` : EXPECTED[want];
  if (token.kind === "end") return `is not JSON: it ends in line ${line}, where ${expected} was expected`;
  const place = `is not JSON: line ${line}, column ${column}`;
  if (token.kind === "bad" && token.text === '"') {
    return `${place} begins a string that is not closed in its line, or holds a wrong escape`;
  }
  return `${place} has ${quote(token.text)} where ${expected} was expected`;
}
