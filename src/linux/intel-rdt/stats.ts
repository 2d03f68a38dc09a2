// What resctrl tells of a container's class of service and monitoring group. Documentation/filesystems/resctrl.rst.
import { O } from "../../../ffi/constants/file.ts";
import { exists, listDirectory, openFile, readText } from "../../../ffi/file.ts";
import { given } from "../given.ts";
import type { IntelRdtRecord } from "./groups.ts";

/** In the names and the order of the event that runc prints, types/events.go; what is not there is left out. */
export interface IntelRdtStats {
  readonly l3_cache_info?: {
    readonly cbm_mask?: string;
    readonly min_cbm_bits?: bigint;
    readonly num_closids?: bigint;
  };
  readonly l3_cache_schema_root?: string;
  readonly l3_cache_schema?: string;
  readonly mem_bw_info?: {
    readonly bandwidth_gran?: bigint;
    readonly delay_linear?: bigint;
    readonly min_bandwidth?: bigint;
    readonly num_closids?: bigint;
  };
  readonly mem_bw_schema_root?: string;
  readonly mem_bw_schema?: string;
  /** Of each memory node, in bytes. */
  readonly mbm_stats?: readonly { readonly mbm_total_bytes: bigint; readonly mbm_local_bytes: bigint }[];
  readonly cmt_stats?: readonly { readonly llc_occupancy: bigint }[];
}

/**
 * Reads it.
 * @param mountpoint of resctrl
 * Throws SyscallError.
 */
export function readIntelRdtStats({ path, monitor }: IntelRdtRecord, mountpoint: string): IntelRdtStats {
  const [root, own] = [`${mountpoint}/schemata`, `${path}/schemata`];
  const nodes = monitoredNodes(monitor === "" ? path : monitor);
  return given({
    l3_cache_info: readCacheInfo(`${mountpoint}/info/L3`),
    l3_cache_schema_root: schemaOf(root, "L3:"),
    l3_cache_schema: schemaOf(own, "L3:"),
    mem_bw_info: readBandwidthInfo(`${mountpoint}/info/MB`),
    mem_bw_schema_root: schemaOf(root, "MB:"),
    mem_bw_schema: schemaOf(own, "MB:"),
    mbm_stats: nodes
      .filter((node) => exists(`${node}/mbm_total_bytes`))
      .map((node) => ({
        mbm_total_bytes: readNumber(`${node}/mbm_total_bytes`),
        mbm_local_bytes: readNumber(`${node}/mbm_local_bytes`),
      })),
    cmt_stats: nodes
      .filter((node) => exists(`${node}/llc_occupancy`))
      .map((node) => ({ llc_occupancy: readNumber(`${node}/llc_occupancy`) })),
  });
}

function readCacheInfo(path: string) {
  return given({
    cbm_mask: readWord(`${path}/cbm_mask`),
    min_cbm_bits: readNumber(`${path}/min_cbm_bits`),
    num_closids: readNumber(`${path}/num_closids`),
  });
}

function readBandwidthInfo(path: string) {
  return given({
    bandwidth_gran: readNumber(`${path}/bandwidth_gran`),
    delay_linear: readNumber(`${path}/delay_linear`),
    min_bandwidth: readNumber(`${path}/min_bandwidth`),
    num_closids: readNumber(`${path}/num_closids`),
  });
}

/** The line of a resource; its name is indented so that all end at one column. */
function schemaOf(file: string, name: string): string {
  const lines = readWord(file).split("\n");
  return lines.find((line) => line.trim().startsWith(name))?.trim() ?? "";
}

/** Directories of the L3 caches' counts, in the order of their numbers. */
function monitoredNodes(group: string): string[] {
  const path = `${group}/mon_data`;
  if (!exists(path)) return [];
  using directory = openFile(path, O.RDONLY | O.DIRECTORY);
  return listDirectory(directory.fd)
    .map(({ name }) => name)
    .filter((name) => name.startsWith("mon_L3_"))
    .sort()
    .map((name) => `${path}/${name}`);
}

function readWord(file: string): string {
  return exists(file) ? readText(file).trim() : "";
}

/** 0 for what is not there, or is a word: a count that the processor has lost is "Unavailable". */
function readNumber(file: string): bigint {
  const word = readWord(file);
  return /^\d+$/.test(word) ? BigInt(word) : 0n;
}
