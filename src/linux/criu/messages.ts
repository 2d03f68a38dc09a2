// criu's requests and answers, as far as checkpoints need them. The numbers are those of images/rpc.proto of criu 4.1;
// criu 3.17 has the same up to 67 and passes over what it does not know. https://criu.org/RPC
import { type Decoded, decodeMessage, encodeMessage, type Field, type Value } from "./protobuf.ts";

/** enum criu_req_type. */
export const requestTypes = {
  dump: 1,
  restore: 2,
  preDump: 4,
  notify: 6,
  featureCheck: 9,
  version: 10,
} as const;

export type RequestType = keyof typeof requestTypes;

/** enum criu_cg_mode: what criu does with cgroups; its own default is soft. */
export const cgroupModes = { ignore: 0, none: 1, props: 2, soft: 3, full: 4, strict: 5 } as const;

export type CgroupMode = keyof typeof cgroupModes;

/** enum criu_network_lock_method: how connections are held while their state is taken. criu 3.17. */
export const networkLocks = { iptables: 1, nftables: 2, skip: 3 } as const;

export type NetworkLock = keyof typeof networkLocks;

/** A name for something outside of what is dumped: a mount, or a descriptor. */
export interface Mapping {
  readonly key: string;
  readonly value: string;
}

/** message criu_opts, in its order. Paths are criu's to resolve; descriptors are this process's unless said otherwise. */
export interface CriuOptions {
  readonly imagesDirFd: number;
  readonly pid?: number | undefined;
  readonly leaveRunning?: boolean;
  readonly extUnixSk?: boolean;
  readonly tcpEstablished?: boolean;
  readonly evasiveDevices?: boolean;
  readonly shellJob?: boolean;
  readonly fileLocks?: boolean;
  readonly logLevel?: number;
  /** A name in the work directory. */
  readonly logFile?: string;
  readonly pageServer?: PageServer | undefined;
  readonly notifyScripts?: boolean;
  readonly root?: string | undefined;
  /** Relative to the images. */
  readonly parentImg?: string | undefined;
  readonly trackMem?: boolean;
  readonly autoDedup?: boolean;
  readonly workDirFd?: number | undefined;
  readonly linkRemap?: boolean;
  readonly extMnt?: readonly Mapping[];
  /** Controllers, and the path of the cgroup that takes the place of the root of the dumped ones. */
  readonly cgRoot?: readonly Mapping[];
  /** The restored processes become siblings of criu's, children of who started it. */
  readonly rstSibling?: boolean;
  /** Descriptors of criu's own. */
  readonly inheritFd?: readonly InheritedDescriptor[];
  readonly manageCgroupsMode?: CgroupMode | undefined;
  readonly external?: readonly string[];
  /** CLONE_NEW* or-ed. */
  readonly emptyNs?: number | undefined;
  /** The type of a namespace, and its file. */
  readonly joinNs?: readonly Mapping[];
  readonly freezeCgroup?: string | undefined;
  readonly tcpSkipInFlight?: boolean;
  readonly lazyPages?: boolean;
  readonly orphanPtsMaster?: boolean;
  readonly configFile?: string | undefined;
  readonly tcpClose?: boolean;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
  readonly networkLock?: NetworkLock | undefined;
}

/** message criu_page_server_info. */
export interface PageServer {
  readonly address: string;
  readonly port: number;
}

/** message inherit_fd. */
export interface InheritedDescriptor {
  readonly key: string;
  readonly fd: number;
}

function pairs(number: number, mappings: readonly Mapping[] = []): Field[] {
  return mappings.map(({ key, value }) => [
    number,
    [
      [1, key],
      [2, value],
    ],
  ]);
}

function repeated(number: number, values: readonly Value[] = []): Field[] {
  return values.map((value) => [number, value]);
}

function encodeOptions(options: CriuOptions): Field[] {
  const { pageServer, manageCgroupsMode, networkLock } = options;
  return [
    [1, options.imagesDirFd],
    [2, options.pid],
    [3, options.leaveRunning],
    [4, options.extUnixSk],
    [5, options.tcpEstablished],
    [6, options.evasiveDevices],
    [7, options.shellJob],
    [8, options.fileLocks],
    [9, options.logLevel],
    [10, options.logFile],
    [
      11,
      pageServer && [
        [1, pageServer.address],
        [2, pageServer.port],
      ],
    ],
    [12, options.notifyScripts],
    [13, options.root],
    [14, options.parentImg],
    [15, options.trackMem],
    [16, options.autoDedup],
    [17, options.workDirFd],
    [18, options.linkRemap],
    ...pairs(23, options.extMnt),
    ...pairs(25, options.cgRoot),
    [26, options.rstSibling],
    ...repeated(
      27,
      options.inheritFd?.map(({ key, fd }): Field[] => [
        [1, key],
        [2, fd],
      ]),
    ),
    // 24, manage_cgroups, is what there was before the modes: without it criu passes over them.
    [24, manageCgroupsMode === undefined ? undefined : manageCgroupsMode !== "ignore"],
    [34, manageCgroupsMode && cgroupModes[manageCgroupsMode]],
    ...repeated(37, options.external),
    [38, options.emptyNs],
    ...pairs(39, options.joinNs),
    [44, options.freezeCgroup],
    [46, options.tcpSkipInFlight],
    [48, options.lazyPages],
    [50, options.orphanPtsMaster],
    [51, options.configFile],
    [52, options.tcpClose],
    [53, options.lsmProfile],
    [63, options.lsmMountContext],
    [64, networkLock && networkLocks[networkLock]],
  ];
}

/** What criu and the kernel can be asked for: message criu_features. */
export interface Features {
  /** The kernel tells which pages were written to since the last look: CONFIG_MEM_SOFT_DIRTY. */
  readonly memTrack: boolean;
  /** Pages can be brought when they are needed: userfaultfd(2). */
  readonly lazyPages: boolean;
}

/** The bytes of a request that criu does something for. */
export function encodeRequest(type: "dump" | "preDump" | "restore", options: CriuOptions): Uint8Array {
  return encodeMessage([
    [1, requestTypes[type]],
    [2, encodeOptions(options)],
  ]);
}

/** The bytes of a question; criu waits for a further request after it. */
export function encodeQuestion(type: "version" | "featureCheck"): Uint8Array {
  const features: Field[] = [
    [1, true],
    [2, true],
  ];
  return encodeMessage([
    [1, requestTypes[type]],
    [4, true],
    [5, type === "featureCheck" ? features : undefined],
  ]);
}

/** The bytes that let criu go on after a notification, or make it give up. */
export function encodeNotified(success: boolean): Uint8Array {
  return encodeMessage([
    [1, requestTypes.notify],
    [3, success],
  ]);
}

/** message criu_resp. */
export interface Answer {
  readonly type: number;
  readonly success: boolean;
  /** The root of the restored processes, as the caller numbers it; 0 where nothing was restored. */
  readonly restored: number;
  /** What criu is about to do, or has done, when it asks whether to go on; undefined in the last answer. */
  readonly notify: Notification | undefined;
  /** 0 without one. */
  readonly errno: number;
  /** "" without one. */
  readonly message: string;
  readonly features: Features | undefined;
  /** 31701 for 3.17.1; 0 when it was not asked. */
  readonly version: number;
}

/** message criu_notify. */
export interface Notification {
  /** `post-restore`, `orphan-pts-master` and others: criu's "Action scripts". */
  readonly script: string;
  /** The root of the processes; 0 where there is none. */
  readonly pid: number;
}

const decoder = new TextDecoder();

/** Reads the fields of a decoded message; what is absent is 0, "" or undefined. */
class Fields {
  constructor(private readonly fields: Decoded) {}

  number(number: number): number {
    const value = this.fields.get(number);
    return typeof value === "number" ? value : 0;
  }

  text(number: number): string {
    const value = this.fields.get(number);
    return value instanceof Uint8Array ? decoder.decode(value) : "";
  }

  message(number: number): Fields | undefined {
    const value = this.fields.get(number);
    return value instanceof Uint8Array ? new Fields(decodeMessage(value)) : undefined;
  }
}

/** Understands an answer. Throws RangeError for bytes that are none. */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const fields = new Fields(decodeMessage(bytes));
  const notify = fields.message(5);
  const features = fields.message(8);
  return {
    type: fields.number(1),
    success: fields.number(2) !== 0,
    restored: fields.message(4)?.number(1) ?? 0,
    notify:
      fields.number(1) === requestTypes.notify
        ? { script: notify?.text(1) ?? "", pid: notify?.number(2) ?? 0 }
        : undefined,
    errno: fields.number(7),
    message: fields.text(9),
    features: features && { memTrack: features.number(1) !== 0, lazyPages: features.number(2) !== 0 },
    version: decodeVersion(fields.message(10)),
  };
}

/** As criu's own libraries write a version in one number. A git version counts as the next patch. */
function decodeVersion(version: Fields | undefined): number {
  if (!version) return 0;
  const sublevel = version.number(4) + (version.text(3) === "" ? 0 : 1);
  return version.number(1) * 10_000 + version.number(2) * 100 + sublevel;
}
