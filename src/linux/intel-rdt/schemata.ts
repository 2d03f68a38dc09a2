// Lines of a file `schemata`, such as "L3:0=ff;1=c0": a resource, and a value for each of its domains. Pure.
// Documentation/filesystems/resctrl.rst.

/**
 * What of the lines that are asked for does not agree with those that are there; undefined when all does. Bit masks are
 * written in base 16, and compared as numbers; what is not asked for may be anything.
 */
export function disagreement(asked: string, there: string): string | undefined {
  const known = new Map(parse(there).map(({ name, value }) => [name, value]));
  for (const { name, value } of parse(asked)) {
    const current = known.get(name);
    if (current !== value)
      return current === undefined ? `no ${name}` : `${name} is ${current}, not ${value}`;
  }
  return undefined;
}

/** "L3:0" and its value, each. */
function parse(text: string): { name: string; value: string }[] {
  const found: { name: string; value: string }[] = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const resource = line.slice(0, colon).trim();
    for (const domain of line.slice(colon + 1).split(";")) {
      const [id = "", value = ""] = domain.split("=").map((part) => part.trim());
      if (id !== "") found.push({ name: `${resource}:${id}`, value: normal(resource, value) });
    }
  }
  return found;
}

/** Bandwidths are decimal, masks hexadecimal; leading zeros and large letters mean nothing. */
function normal(resource: string, value: string): string {
  const digits = value.toLowerCase().replace(/^0+(?=.)/, "");
  return resource.startsWith("MB") ? digits : digits.replace(/^x/, "");
}
