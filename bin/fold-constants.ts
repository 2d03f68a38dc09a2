import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Glob } from "bun";

// A table of the kernel's numbers is an object, which is made whenever the program that has it is loaded: one property
// after the other, and each of them is looked up where it is used. All of it takes a tenth of what `state` takes beyond the
// engine's start. So `O.CLOEXEC` becomes its number where it stands; the tables are left to those who go through the names.

const root = resolve(import.meta.dir, "..");
const directory = "ffi/constants";

/** Path of a file with tables → name of a table → name of a number → the number. */
export type Tables = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** The tables as they are on a processor, by the absolute paths of their files. @param arch as process.arch has it */
export async function readTables(arch: string): Promise<Tables> {
  const transpiler = new Bun.Transpiler({ loader: "ts", define: { "process.arch": JSON.stringify(arch) } });
  const tables = new Map<string, Record<string, unknown>>();
  for (const file of new Glob(`${directory}/*.ts`).scanSync({ cwd: root })) {
    const path = resolve(root, file);
    const script = transpiler.transformSync(readFileSync(path, "utf8"));
    tables.set(path, await import(`data:text/javascript,${encodeURIComponent(script)}`));
  }
  return tables;
}

const importing = /^import \{([^}]*)\} from "(\.[^"]+)";$/gm;

/** The text of a module with numbers in place of their names, and without the imports that only these needed. */
export function foldConstants(text: string, path: string, tables: Tables): string {
  let folded = text;
  for (const [statement, list = "", target = ""] of text.matchAll(importing)) {
    const tablesOfFile = tables.get(resolve(path, "..", target));
    if (!tablesOfFile) continue;
    const names = list.split(",").map((name) => name.trim());
    for (const name of names) folded = foldTable(folded, name, tablesOfFile[name]);
    const body = withoutComments(folded.replace(statement, ""));
    const left = names.filter(
      (name) => name !== "" && new RegExp(`\\b${name.replace("type ", "")}\\b`).test(body),
    );
    folded = folded.replace(
      statement,
      left.length > 0 ? `import { ${left.join(", ")} } from "${target}";` : "",
    );
  }
  return folded;
}

function foldTable(text: string, name: string, table: unknown): string {
  if (typeof table !== "object" || table === null) return text;
  return text.replace(new RegExp(`(?<![\\w.$])${name}\\.(\\w+)\\b(?!\\()`, "g"), (use, key: string) => {
    const value = (table as Record<string, unknown>)[key];
    return typeof value === "number" ? `(${value})` : use;
  });
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\/?\*).*$/gm, "");
}
