import { expect, test } from "bun:test";
import { exampleConfig } from "../spec/example.ts";
import { closIdIsName, memBwSchemaIsOfBandwidth } from "./intel-rdt.ts";

const closID = (id: string) => exampleConfig({ linux: { intelRdt: { closID: id } } });
const schema = (memBwSchema: string) => exampleConfig({ linux: { intelRdt: { memBwSchema } } });

test.each(["gold", "/", "", "a.b"])("closID %j", (id) => closIdIsName(closID(id)));

test.each([".", "..", "a/b", "/a", "info", "mon_groups", "a\nb"])("closID %j is refused", (id) => {
  expect(() => closIdIsName(closID(id))).toThrow(/^linux\.intelRdt\.closID/);
});

test("memBwSchema is one line of bandwidth", () => {
  memBwSchemaIsOfBandwidth(schema("MB:0=10"));
  memBwSchemaIsOfBandwidth(schema(""));
  for (const wrong of ["L3:0=f", "MB:0=10\nL3:0=f"]) {
    expect(() => memBwSchemaIsOfBandwidth(schema(wrong))).toThrow(/^linux\.intelRdt\.memBwSchema/);
  }
});
