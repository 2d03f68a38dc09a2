import { encodeText } from "../../ffi/memory.ts";
import { recordVersion, type StateRecord } from "./record.ts";

// The record begins with the few things that the small commands need, in a form that takes no parser: src/prelude reads
// it before there is an engine. All of it is JSON, and whoever parses the record passes over it. What `state` prints
// stands in the record as it is printed.
//
//   {"brief":[FORM,PID,START,FLAGS,HEAD,TAIL,ALL,"FREEZER","CGROUP",…],
//     "ociVersion": …,
//     "id": "ID",                      HEAD bytes up to here, from the first line's end on
//     "bundle": …,
//     …
//     "owner": "root"                  TAIL bytes, up to the comma
//   ,"version":1, …}                   ALL bytes from the first line's end on: a shorter record is damaged

/** The form of the brief part; raise it when an older prelude could misread what a newer bunc wrote. */
export const briefForm = 100 * recordVersion + 1;

export const briefStart = '{"brief":[';

/** What may be done with a container without looking at the rest of its record. */
export const briefFlags = {
  /** `start` has nothing to do but to let init go. */
  plainStart: 1,
  /** `delete` has nothing to do, once the container has ended, but to remove its cgroups and its directory. */
  plainDelete: 2,
  /** What `list` prints stands in the record as it is printed, a byte a character. */
  plainLine: 4,
} as const;

/** What of a container's cgroups the brief part tells. */
export interface BriefCgroups {
  /** Path of the file that says "FROZEN" or "1" while the container is paused; "" where there is none. */
  readonly freezer: string;
  /** The cgroups' paths; undefined when it takes more than rmdir(2) of each to remove them. */
  readonly directories: readonly string[] | undefined;
}

/** Whether a path stands in JSON as it is, and cannot be taken for the end of the list. */
function isPlain(path: string): boolean {
  return JSON.stringify(path).length === path.length + 2 && !path.includes("]");
}

/**
 * What cannot be done simply any more when a property of the record says something. Every property is here: who adds one
 * has to think of it.
 */
const concerned: Readonly<Record<keyof StateRecord, number>> = {
  hooks: briefFlags.plainStart | briefFlags.plainDelete,
  notify: briefFlags.plainStart,
  listener: briefFlags.plainStart,
  intelRdt: briefFlags.plainDelete,
  // What start and delete have to do does not depend on these, or it is looked at below.
  brief: 0,
  version: 0,
  ociVersion: 0,
  id: 0,
  pid: 0,
  processStartTime: 0,
  bundle: 0,
  rootfs: 0,
  created: 0,
  owner: 0,
  annotations: 0,
  executable: 0,
  cgroup: 0,
  keyring: 0,
  rootEmulation: 0,
};

/** @param isAscii the record's printed part is */
function flagsOf(record: StateRecord, cgroups: BriefCgroups, isAscii: boolean): number {
  let flags = 0;
  if (record.executable !== "") flags |= briefFlags.plainStart;
  if (cgroups.directories) flags |= briefFlags.plainDelete;
  for (const name in concerned) {
    const property = name as keyof StateRecord;
    if (record[property]) flags &= ~concerned[property];
  }
  return isAscii && isPlain(record.bundle) && isPlain(record.owner) ? flags | briefFlags.plainLine : flags;
}

/** The text of a record's file. */
export function renderRecord(record: StateRecord, cgroups: BriefCgroups): string {
  const { brief: _, ociVersion, id, bundle, rootfs, created, annotations, owner, ...rest } = record;
  const directories = cgroups.directories ?? [];
  let isBrief = isPlain(cgroups.freezer);
  for (const path of directories) isBrief &&= isPlain(path);
  if (!isBrief) return JSON.stringify({ ...record, brief: undefined });
  const head = `${JSON.stringify({ ociVersion, id }, undefined, 2).slice(1, -2)},`;
  const hasAnnotations = Object.keys(annotations).length > 0;
  const printed = { bundle, rootfs, created, ...(hasAnnotations ? { annotations } : {}), owner };
  const tail = JSON.stringify(printed, undefined, 2).slice(1, -2);
  const others = `,${JSON.stringify(hasAnnotations ? rest : { annotations, ...rest }).slice(1)}`;
  const headLength = encodeText(head).length;
  const tailLength = encodeText(tail).length;
  const brief = [
    briefForm,
    record.pid,
    record.processStartTime,
    flagsOf(record, cgroups, tailLength === tail.length),
    headLength,
    tailLength,
    headLength + tailLength + encodeText(others).length,
    cgroups.freezer,
    ...directories,
  ];
  return `${briefStart}${JSON.stringify(brief).slice(1)},${head}${tail}${others}`;
}
