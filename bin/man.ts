// Writes docs/man anew. See bin/man.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderManual } from "./man-page.ts";

const directory = join(import.meta.dir, "../docs/man");
const pages = await renderManual();
mkdirSync(directory, { recursive: true });
for (const name of readdirSync(directory)) {
  if (!pages.some((page) => page.name === name)) rmSync(join(directory, name));
}
for (const { name, text } of pages) writeFileSync(join(directory, name), text);
console.log(`docs/man: ${pages.length} pages`);
