import { describe, expect, test } from "bun:test";
import { exampleRecord } from "../../test/support/record.ts";
import { type BriefCgroups, briefFlags, briefForm, renderRecord } from "./brief.ts";
import { ociVersion, type StateRecord } from "./record.ts";

const record = exampleRecord({
  bundle: "/bündle",
  rootfs: "/bündle/rootfs",
  annotations: { a: 'é"\n' },
});
const none: BriefCgroups = { freezer: "", directories: [] };

function briefOf(text: string): unknown[] {
  return (JSON.parse(text) as { brief: unknown[] }).brief;
}

test("a record is JSON, with everything that it had", () => {
  expect(JSON.parse(renderRecord(record, none))).toEqual({ ...record, brief: expect.any(Array) });
  const bare = { ...record, annotations: {} };
  expect(JSON.parse(renderRecord(bare, none))).toEqual({ ...bare, brief: expect.any(Array) });
});

describe("the brief part", () => {
  const all = briefFlags.plainStart | briefFlags.plainDelete;
  const line = { bundle: "/b", rootfs: "/b/rootfs", annotations: {} };

  test("is at the beginning, and says where the printed parts of the record are", () => {
    const bytes = new TextEncoder().encode(renderRecord(record, none));
    const text = new TextDecoder().decode(bytes);
    expect(text).toStartWith('{"brief":[');
    const [form, pid, startTime, flags, head, tail, rest] = briefOf(text) as number[];
    expect([form, pid, startTime, flags]).toEqual([briefForm, 42, 4711, all]);
    const start = bytes.indexOf("\n".charCodeAt(0));
    expect(bytes.length - start).toBe(rest ?? 0);
    const between = (from: number, length: number) =>
      new TextDecoder().decode(bytes.subarray(from, from + length));
    const printed = `{${between(start, head ?? 0)}\n  "pid": 7,${between(start + (head ?? 0), tail ?? 0)}\n}`;
    const { bundle, rootfs, created, annotations, owner } = record;
    const state = { ociVersion, id: "one", pid: 7, bundle, rootfs, created, annotations, owner };
    expect(printed).toBe(JSON.stringify(state, undefined, 2));
  });

  test("leaves out annotations where there are none, as the printed state does", () => {
    const text = renderRecord({ ...record, annotations: {} }, none);
    const [, , , , head = 0, tail = 0] = briefOf(text) as number[];
    const start = text.indexOf("\n");
    expect(text.slice(start, start + head + tail)).not.toContain("annotations");
  });

  test("names the file that tells of a pause, and the cgroups", () => {
    const text = renderRecord(record, { freezer: "/f/freezer.state", directories: ["/a", "/b"] });
    expect(briefOf(text).slice(7)).toEqual(["/f/freezer.state", "/a", "/b"]);
  });

  test.each<[string, Partial<StateRecord>, BriefCgroups, number]>([
    ["nothing special", {}, none, all],
    ["hooks", { hooks: [] }, none, 0],
    ["no process", { executable: "" }, none, briefFlags.plainDelete],
    ["a service manager", { notify: true }, none, briefFlags.plainDelete],
    ["a listener", { listener: {} }, none, briefFlags.plainDelete],
    ["a class of service", { intelRdt: { path: "/x" } }, none, briefFlags.plainStart],
    ["a scope", {}, { freezer: "", directories: undefined }, briefFlags.plainStart],
    ["plain texts", line, none, all | briefFlags.plainLine],
    ["an annotation in another script", { ...line, annotations: { a: "é" } }, none, all],
    ["a bundle that takes a parser", { ...line, bundle: '/b"' }, none, all],
    ["nobody", { ...line, owner: "\n" }, none, all],
  ])("says what may be done with a container of %s", (_, change, cgroups, flags) => {
    expect(briefOf(renderRecord({ ...record, ...change }, cgroups))[3]).toBe(flags);
  });

  test("is not there when a path takes a parser", () => {
    for (const path of ['/a"b', "/a\\b", "/a\nb", "/a]b"]) {
      expect(JSON.parse(renderRecord(record, { freezer: path, directories: [] }))).toEqual(record);
      expect(JSON.parse(renderRecord(record, { freezer: "", directories: ["/x", path] }))).toEqual(record);
    }
  });

  test("is made anew with the record", () => {
    const read = JSON.parse(renderRecord(record, none)) as StateRecord;
    const text = renderRecord({ ...read, pid: 43 }, none);
    expect(text.match(/"brief"/g)).toHaveLength(1);
    expect(briefOf(text)[1]).toBe(43);
  });
});
