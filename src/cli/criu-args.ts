import type { ArgsDef } from "citty";
import { CLONE } from "../../ffi/constants/process.ts";
import type { CriuChoices } from "../container/criu.ts";
import type { Session } from "./globals.ts";

/** What checkpoint and restore have in common: the options of runc and of crun. */
export const criuArgs = {
  "image-path": {
    type: "string",
    default: "checkpoint",
    valueHint: "DIR",
    description: "directory of the images",
  },
  "work-path": {
    type: "string",
    valueHint: "DIR",
    description: "directory of criu's log and its other files (default: that of the images)",
  },
  "tcp-established": { type: "boolean", description: "allow open TCP connections" },
  "ext-unix-sk": { type: "boolean", description: "allow Unix sockets whose other end is outside" },
  "shell-job": { type: "boolean", description: "allow a process that shares the caller's terminal" },
  "file-locks": { type: "boolean", description: "allow locks of files" },
  "lazy-pages": { type: "boolean", description: "bring pages of memory when they are needed" },
  "auto-dedup": { type: "boolean", description: "take pages out of the older images that newer ones have" },
  "manage-cgroups-mode": {
    type: "enum",
    options: ["soft", "full", "strict", "ignore", "none", "props"],
    description: "what criu does with cgroups (default: soft)",
  },
  "network-lock": {
    type: "enum",
    options: ["iptables", "nftables", "skip"],
    description: "how TCP connections are held meanwhile (default: criu's, iptables)",
  },
  "empty-ns": {
    type: "enum",
    options: ["network"],
    description: "have a network namespace, but nothing in it",
  },
} as const satisfies ArgsDef;

/** The values of criuArgs as citty gives them. */
export interface CriuValues {
  readonly "image-path": string;
  readonly "work-path"?: string | undefined;
  readonly "tcp-established"?: boolean | undefined;
  readonly "ext-unix-sk"?: boolean | undefined;
  readonly "shell-job"?: boolean | undefined;
  readonly "file-locks"?: boolean | undefined;
  readonly "lazy-pages"?: boolean | undefined;
  readonly "auto-dedup"?: boolean | undefined;
  readonly "manage-cgroups-mode"?: CriuChoices["manageCgroupsMode"];
  readonly "network-lock"?: CriuChoices["networkLock"];
  readonly "empty-ns"?: "network" | undefined;
}

/** What the two commands' own options are added to. */
export function criuChoices(values: CriuValues, { globals }: Session): CriuChoices {
  return {
    criu: globals.criu ?? "criu",
    imagePath: values["image-path"],
    workPath: values["work-path"],
    tcpEstablished: values["tcp-established"] === true,
    tcpClose: false,
    tcpSkipInFlight: false,
    linkRemap: false,
    extUnixSk: values["ext-unix-sk"] === true,
    shellJob: values["shell-job"] === true,
    fileLocks: values["file-locks"] === true,
    lazyPages: values["lazy-pages"] === true,
    autoDedup: values["auto-dedup"] === true,
    manageCgroupsMode: values["manage-cgroups-mode"],
    networkLock: values["network-lock"],
    emptyNs: values["empty-ns"] === undefined ? 0 : CLONE.NEWNET,
  };
}
