const LONGEST_QUOTE = 60;

/** A value of config.json in a few words of one line, for error messages: `"tmp"`, `5`, `an empty list`. */
export function describe(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** A string in double quotes, cut when it is long, with everything escaped that would break or colour a line. */
export function quote(text: string): string {
  const cut = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Extends a JSON path by one key: `mounts` and 3 make `mounts[3]`, `linux` and `sysctl` make `linux.sysctl`. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `${path}[${quote(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
