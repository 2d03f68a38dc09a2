import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { verbs } from "../src/cli/verbs.ts";
import { renderManual } from "./man-page.ts";

const directory = join(import.meta.dir, "../docs/man");
const pages = await renderManual();

test("docs/man is what the definitions say now: if not, run bin/man", () => {
  expect(readdirSync(directory).sort()).toEqual(pages.map(({ name }) => name).sort());
  for (const { name, text } of pages) {
    expect([name, readFileSync(join(directory, name), "utf8")]).toEqual([name, text]);
  }
});

test("every command has a page, and is on bunc's", () => {
  const main = pages.find(({ name }) => name === "bunc.8")?.text ?? "";
  for (const name of Object.keys(verbs)) {
    expect(pages.map((page) => page.name)).toContain(`bunc-${name}.8`);
    expect(main).toContain(`\\fBbunc\\-${name}\\fR(8)`);
  }
});

test("no line begins with what roff would take for a request of its own", () => {
  const known = /^\.(TH|SH|PP|TP|RS|RE|nf|fi)( |$)/;
  for (const { text } of pages) {
    for (const line of text.split("\n")) if (/^[.']/.test(line)) expect(line).toMatch(known);
  }
});
