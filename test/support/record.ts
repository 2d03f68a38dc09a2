/** A container's record, as tests write one that nobody has made. */
import { ociVersion, recordVersion, type StateRecord } from "../../src/state/record.ts";

/** The record of a container about which there is nothing special, with these properties in place of the usual ones. */
export function exampleRecord(change: Partial<StateRecord> = {}): StateRecord {
  return {
    version: recordVersion,
    ociVersion,
    id: "one",
    pid: 42,
    processStartTime: 4711,
    bundle: "/bundle",
    rootfs: "/bundle/rootfs",
    created: "2026-01-02T03:04:05.000000006Z",
    owner: "root",
    annotations: {},
    executable: "/EXE",
    cgroup: null,
    intelRdt: null,
    keyring: "",
    rootEmulation: null,
    notify: false,
    listener: null,
    hooks: null,
    ...change,
  };
}
