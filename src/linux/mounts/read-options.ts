import type { IdmapOption } from "./idmap.ts";
import { splitData } from "./label.ts";
import { type Extension, mountOptions } from "./options.ts";
import type { Attributes } from "./plan.ts";

/** The options of one mount, sorted by what they are for. */
export interface ReadOptions {
  attributes: Attributes;
  recursiveAttributes: Attributes;
  propagation: { flag: number; recursive: boolean }[];
  bind: { recursive: boolean } | undefined;
  remount: boolean;
  idmap: IdmapOption | undefined;
  /** With their places in the list. */
  extensions: Map<Extension, number>;
  filesystemFlags: string[];
  legacyFlags: number;
  /** Options that are not in the table: the file system's own. */
  data: string[];
}

/** Reads `options` in their order. */
export function readOptions(options: readonly string[], origin: string): ReadOptions {
  const read: ReadOptions = {
    attributes: { set: 0, clear: 0 },
    recursiveAttributes: { set: 0, clear: 0 },
    propagation: [],
    bind: undefined,
    remount: false,
    idmap: undefined,
    extensions: new Map(),
    filesystemFlags: [],
    legacyFlags: 0,
    data: [],
  };
  for (let index = 0; index < options.length; index++)
    readOption(read, options[index] as string, index, `${origin}.options[${index}]`);
  return read;
}

function readOption(read: ReadOptions, option: string, index: number, origin: string): void {
  const known = mountOptions[option];
  switch (known?.does) {
    case undefined:
      // idmap=MAPS: crun's way to give maps.
      if (option.includes("idmap=")) {
        const [prefix, recursive] = /^(r?)idmap=/.exec(option) ?? [];
        if (prefix !== undefined) {
          read.idmap = { recursive: recursive === "r", maps: option.slice(prefix.length), origin };
          break;
        }
      }
      // One entry may hold several of the file system's own options, as in mount -o.
      read.data.push(...splitData(option));
      break;
    case "attribute": {
      const key = known.recursive ? "recursiveAttributes" : "attributes";
      read[key] = overlay(read[key], known);
      break;
    }
    case "filesystem":
      read.filesystemFlags.push(known.flag);
      break;
    case "legacy":
      read.legacyFlags = (read.legacyFlags | known.set) & ~known.clear;
      break;
    case "bind":
      read.bind = { recursive: known.recursive || read.bind?.recursive === true };
      break;
    case "propagation":
      read.propagation.push({ flag: known.flag, recursive: known.recursive });
      break;
    case "remount":
      read.remount = true;
      break;
    case "idmap":
      read.idmap = { recursive: known.recursive, maps: "", origin };
      break;
    case "extension":
      read.extensions.set(known.name, index);
      break;
    case "nothing":
      break;
  }
}

/** A later option wins over an earlier one on the same bits. */
function overlay(earlier: Attributes, { set, clear }: Attributes): Attributes {
  return { set: (earlier.set & ~clear) | set, clear: (earlier.clear & ~set) | clear };
}
