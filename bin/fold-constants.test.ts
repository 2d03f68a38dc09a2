import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { foldConstants, readTables } from "./fold-constants.ts";

const root = resolve(import.meta.dir, "..");
const path = resolve(root, "src/x/y.ts");
const tables = await readTables("x64");
const file = 'from "../../ffi/constants/file.ts";';

test("a number stands where its name stood, and the import is gone", () => {
  const text = `import { AT, O } ${file}\nconst flags = O.CREAT | O.CLOEXEC;\n// as O has them\nopen(AT.FDCWD);\n`;
  const folded = foldConstants(text, path, tables);
  expect(folded).toContain("flags = (64) | (524288);");
  expect(folded).toContain("open((-100));");
  expect(folded).not.toContain("import");
});

test("what is asked for by name keeps its table", () => {
  const text = `import { AT, O } ${file}\nconst names = Object.keys(O);\nopen(AT.FDCWD, O.PATH);\n`;
  const folded = foldConstants(text, path, tables);
  expect(folded).toContain(`import { O } ${file}`);
  expect(folded).toContain("open((-100), (2097152));");
});

test("a name of something else is left alone", () => {
  const text = `import { O } ${file}\nthis.O.CREAT; BOO.CREAT; O.NOT_THERE; O.CREAT;`;
  const folded = foldConstants(text, path, tables);
  expect(folded).toContain("this.O.CREAT; BOO.CREAT; O.NOT_THERE; (64);");
  expect(folded).toContain("import { O }");
  const other = 'import { O } from "./own.ts";\nO.CREAT;';
  expect(foldConstants(other, path, tables)).toBe(other);
});

test("numbers are those of the processor that is built for", async () => {
  const directory = `import { O } ${file}\nO.DIRECTORY;`;
  expect(foldConstants(directory, path, tables)).toContain("(65536)");
  expect(foldConstants(directory, path, await readTables("arm64"))).toContain("(16384)");
});
