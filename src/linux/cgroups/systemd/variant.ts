// The text form of D-Bus values in which annotations give properties of systemd. Pure.
// GLib, "GVariant Text Format", as much of it as a property of a unit can be: no dictionaries, maybes and byte strings.
import {
  type BusValue,
  busArray,
  busBoolean,
  busText,
  INTEGER_RANGES,
  type IntegerType,
  signatureOf,
} from "../../../../ffi/structs/bus-value.ts";

/** Names of types that may stand before a value. */
const keywords: Readonly<Record<string, string>> = {
  boolean: "b",
  byte: "y",
  int16: "n",
  uint16: "q",
  int32: "i",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  string: "s",
  objectpath: "o",
  signature: "g",
};

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

/**
 * Reads one value: `true`, `uint64 5`, `'text'`, `['a', 'b']`, `@a(ss) [('/dev/null', 'rw')]`. A number without a type
 * is an int32 or a double, as GVariant has it.
 * Throws Error whose message says what is wrong, to be continued by whoever knows where the text is from.
 */
export function parseVariant(text: string): BusValue {
  const reader = new Reader(text);
  const value = reader.value(undefined);
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  end(): void {
    if (this.peek() !== "") this.fail("the end");
  }

  /** @param expected the signature that it must have; undefined when anything goes */
  value(expected: string | undefined): BusValue {
    const next = this.peek();
    if (next === "@") return this.annotated(expected);
    if (next === "[") return this.array(expected);
    if (next === "(") return this.struct(expected);
    if (next === "'" || next === '"') return this.string(expected);
    const word = this.word();
    if (word === "true" || word === "false") {
      if (expected !== undefined && expected !== "b") this.fail(`a value of type ${expected}`);
      return busBoolean(word === "true");
    }
    const keyword = keywords[word];
    if (keyword !== undefined) return this.agreed(keyword, expected);
    return this.number(word, expected);
  }

  /** @SIGNATURE VALUE */
  private annotated(expected: string | undefined): BusValue {
    this.at++;
    const start = this.at;
    while (/[\w()]/.test(this.text[this.at] ?? "")) this.at++;
    return this.agreed(this.text.slice(start, this.at), expected);
  }

  private agreed(type: string, expected: string | undefined): BusValue {
    if (expected !== undefined && expected !== type) this.fail(`a value of type ${expected}`);
    return this.value(type);
  }

  private array(expected: string | undefined): BusValue {
    if (expected !== undefined && !expected.startsWith("a")) this.fail(`a value of type ${expected}`);
    let element = expected?.slice(1);
    const items: BusValue[] = [];
    this.list("[", "]", () => {
      const item = this.value(element);
      element ??= signatureOf(item);
      items.push(item);
    });
    if (element === undefined) this.fail("a type before an empty array, as in @as []");
    return busArray(element, items);
  }

  private struct(expected: string | undefined): BusValue {
    const types = expected === undefined ? undefined : membersOf(expected);
    if (expected !== undefined && types === undefined) this.fail(`a value of type ${expected}`);
    const members: BusValue[] = [];
    this.list("(", ")", () => members.push(this.value(types?.[members.length])));
    if (members.length === 0 || (types && types.length !== members.length)) {
      this.fail(types ? `${types.length} members in a structure` : "a member in a structure");
    }
    return { kind: "struct", members };
  }

  /** Items between brackets, and commas between them. */
  private list(open: string, close: string, item: () => void): void {
    if (this.peek() !== open) this.fail(`a ${open}`);
    this.at++;
    while (this.peek() !== close) {
      item();
      if (this.peek() === ",") this.at++;
      else if (this.peek() !== close) this.fail(`a comma or ${close}`);
    }
    this.at++;
  }

  private string(expected: string | undefined): BusValue {
    const type = expected ?? "s";
    if (type !== "s" && type !== "o" && type !== "g") this.fail(`a value of type ${type}`);
    const quote = this.peek();
    let value = "";
    for (this.at++; this.text[this.at] !== quote; this.at++) {
      let letter = this.text[this.at];
      if (letter === "\\") {
        this.at++;
        letter = this.escaped();
      }
      if (letter === undefined) this.fail(`a closing ${quote}`);
      value += letter;
    }
    this.at++;
    return type === "s" ? busText(value) : { kind: "text", type, value };
  }

  /** What stands after a backslash; the position stays at its last letter. */
  private escaped(): string | undefined {
    const letter = this.text[this.at];
    const digits = letter === "u" ? 4 : letter === "U" ? 8 : 0;
    if (digits === 0) return letter === undefined ? undefined : (escapes[letter] ?? letter);
    const code = this.text.slice(this.at + 1, this.at + 1 + digits);
    if (!/^[0-9a-fA-F]+$/.test(code) || code.length < digits) this.fail(`${digits} hexadecimal digits`);
    this.at += digits;
    return String.fromCodePoint(Number.parseInt(code, 16));
  }

  private number(word: string, expected: string | undefined): BusValue {
    const type = expected ?? (/^[-+]?(\d+|0x[0-9a-fA-F]+)$/.test(word) ? "i" : "d");
    if (type === "d") {
      const value = Number(word);
      if (word === "" || Number.isNaN(value)) this.fail("a value");
      return { kind: "double", value };
    }
    const range = INTEGER_RANGES[type as IntegerType];
    const match = /^([-+]?)(0x[0-9a-fA-F]+|\d+)$/.exec(word);
    if (!range || !match?.[2]) this.fail(`a value of type ${type}`);
    const [, sign, digits] = match;
    // As in C, a zero before other digits makes them octal.
    const size = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
    const value = sign === "-" ? -size : size;
    if (value < range[0] || value > range[1]) {
      throw new Error(`${word} is out of the range of its type: ${range[0]} to ${range[1]}`);
    }
    return { kind: "integer", type: type as IntegerType, value };
  }

  private word(): string {
    this.peek();
    const start = this.at;
    while (/[\w+.-]/.test(this.text[this.at] ?? "")) this.at++;
    return this.text.slice(start, this.at);
  }

  /** The next character that is no space; "" at the end. */
  private peek(): string {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
    return this.text[this.at] ?? "";
  }

  private fail(wanted: string): never {
    const rest = this.text.slice(this.at);
    throw new Error(`${wanted} was expected ${rest === "" ? "at its end" : `at ${JSON.stringify(rest)}`}`);
  }
}

/** The signatures of a structure's members; undefined for what is no structure. */
function membersOf(signature: string): string[] | undefined {
  if (!/^\(.+\)$/.test(signature)) return undefined;
  const members: string[] = [];
  for (let at = 1; at < signature.length - 1; ) {
    const end = endOfType(signature, at);
    members.push(signature.slice(at, end));
    at = end;
  }
  return members;
}

/** Where the complete type ends that begins at a place of a signature. */
function endOfType(signature: string, at: number): number {
  let end = at;
  while (signature[end] === "a") end++;
  if (signature[end] !== "(") return end + 1;
  for (let depth = 0; end < signature.length; end++) {
    if (signature[end] === "(") depth++;
    if (signature[end] === ")" && --depth === 0) return end + 1;
  }
  return end;
}
