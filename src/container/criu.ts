// What checkpoint and restore have in common: finding criu, its directories, and what went wrong in it.
import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O } from "../../ffi/constants/file.ts";
import { type Descriptor, exists, openFile, readLink, readText, stat } from "../../ffi/file.ts";
import { attempt, failure } from "../../ffi/libc.ts";
import { findProgram } from "../../ffi/process.ts";
import type { Answer, CgroupMode, CriuOptions, NetworkLock } from "../linux/criu/messages.ts";
import type { NamespaceName } from "../linux/namespaces/plan.ts";
import { namespaceFiles } from "../linux/namespaces/plan.ts";
import { ContainerError } from "./error.ts";
import type { Logger } from "./options.ts";

/** What `checkpoint` and `restore` both are told. */
export interface CriuChoices {
  /** $PATH is searched for it unless it has a slash. */
  readonly criu: string;
  /** Directory of the images. */
  readonly imagePath: string;
  /** Directory of criu's log and other files; undefined for that of the images. */
  readonly workPath: string | undefined;
  readonly tcpEstablished: boolean;
  readonly tcpClose: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly linkRemap: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly lazyPages: boolean;
  readonly autoDedup: boolean;
  readonly manageCgroupsMode: CgroupMode | undefined;
  readonly networkLock: NetworkLock | undefined;
  /** CLONE_NEW* or-ed. */
  readonly emptyNs: number;
}

/** The least version, as criu writes it in one number: external pid namespaces, and the news that lazy pages are ready. */
export const oldestCriu = 31500;

/**
 * The path of criu, for who is allowed to use it.
 * Throws ContainerError when it is not there, or when the caller is not root.
 */
export function findCriu(origin: string, name: string): string {
  if (attempt.geteuid() !== 0) {
    throw new ContainerError(origin, `${origin}: only root can ${origin} a container: criu needs its powers`);
  }
  const path = findProgram(name);
  if (path !== undefined && exists(path)) return path;
  throw new ContainerError(
    origin,
    `${origin} is done by criu, and ${name.includes("/") ? name : `there is no ${name} in PATH`}${name.includes("/") ? " does not exist" : ""}: install it (Debian: apt-get install criu)`,
  );
}

/** The directories of one checkpoint, open for as long as criu works. */
export class CriuDirectories implements Disposable {
  images: Descriptor;
  private work: Descriptor | undefined;
  /** Path of criu's log, for people. */
  readonly log: string;

  /**
   * @param make make the directory of the images when it is missing
   * @param logFile name of criu's log
   * Throws SyscallError.
   */
  constructor(
    { imagePath, workPath }: CriuChoices,
    private readonly logFile: string,
    make: boolean,
  ) {
    this.log = `${workPath ?? imagePath}/${logFile}`;
    this.images = openDirectory(imagePath, make);
    try {
      this.work = workPath === undefined ? undefined : openDirectory(workPath, true);
    } catch (error) {
      this.images.close();
      throw error;
    }
  }

  /** What criu is told of them. */
  get options(): Pick<CriuOptions, "imagesDirFd" | "workDirFd" | "logFile" | "logLevel"> {
    // 4 is criu's debugging level: with less, its log does not tell what led to an error.
    return { imagesDirFd: this.images.fd, workDirFd: this.work?.fd, logFile: this.logFile, logLevel: 4 };
  }

  /**
   * Opens them again as a process sees them that has a mount namespace of its own: criu mounts something in the work
   * directory for a moment, and cannot where another namespace's mount lies. Throws SyscallError.
   */
  reopen(pid: number): void {
    const through = (directory: Descriptor) => {
      using before = directory;
      return openDirectory(`/proc/${pid}/root${readLink(`/proc/self/fd/${before.fd}`)}`, false);
    };
    this.images = through(this.images);
    if (this.work) this.work = through(this.work);
  }

  /** Text of criu's log; "" when there is none. */
  readLog(): string {
    const where = { dirfd: (this.work ?? this.images).fd, path: this.logFile };
    return exists(where) ? readText(where) : "";
  }

  [Symbol.dispose](): void {
    this.images.close();
    this.work?.close();
  }
}

/** It may be there from an earlier checkpoint. What is in it can hold secrets of the container's memory. */
function openDirectory(path: string, make: boolean): Descriptor {
  if (make) {
    const result = attempt.mkdirat(AT.FDCWD, path, 0o700);
    if (result < 0 && result !== -ERRNO.EEXIST) throw failure("mkdirat", [AT.FDCWD, path, 0o700], -result);
  }
  return openFile(path, O.RDONLY | O.DIRECTORY);
}

/** How many of the lines that tell of an error are shown: the first say why, the last only that it failed. */
const shownErrors = 3;

/** The reasons that criu's log gives, on one line; "" without any. */
export function reasonsIn(log: string): string {
  const reasons: string[] = [];
  for (const line of log.split("\n")) {
    // (00.004711)     42: Error (criu/mount.c:123): mnt: Doesn't have a proper root mount
    const text = /Error \([^)]*\): (.*)/
      .exec(line)?.[1]
      ?.replace(/\p{Cc}+/gu, " ")
      .trim();
    // Without CAP_SYS_RESOURCE criu goes on with the limit of open files that it has.
    const harmless = text === undefined || /FAILED\.?$|^rlimit: Can't setup RLIMIT_NOFILE/.test(text);
    if (!harmless && !reasons.includes(text)) reasons.push(text);
  }
  return reasons.slice(0, shownErrors).join("; ");
}

/** criu could not do it. @param what such as `dump the container "web"` */
export function criuError(
  origin: string,
  what: string,
  why: string,
  directories: CriuDirectories,
): ContainerError {
  const log = directories.readLog();
  const reasons = reasonsIn(log) || why;
  const place = log === "" ? "" : `; its log is ${directories.log}`;
  return new ContainerError(origin, `${origin}: criu could not ${what}: ${reasons}${place}`);
}

/** Throws ContainerError for an answer that is no success. */
export function checkAnswer(
  answer: Answer,
  origin: string,
  what: string,
  directories: CriuDirectories,
): void {
  if (answer.success) return;
  const why = answer.message || (answer.errno > 0 ? `error number ${answer.errno}` : "it gives no reason");
  throw criuError(origin, what, why, directories);
}

/** Throws ContainerError for a criu that is too old. */
export function checkVersion(origin: string, version: number, log: Logger): void {
  const dotted = `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}.${version % 100}`;
  log.debug(`criu ${dotted}`);
  if (version >= oldestCriu) return;
  throw new ContainerError(origin, `${origin} needs criu 3.15 or newer: this one is ${dotted}`);
}

/** What both requests take over from the command line and from the container. */
export function commonOptions(
  choices: CriuChoices,
  annotations: Readonly<Record<string, string>>,
): Omit<CriuOptions, "imagesDirFd"> {
  return {
    tcpEstablished: choices.tcpEstablished,
    tcpClose: choices.tcpClose,
    tcpSkipInFlight: choices.tcpSkipInFlight,
    linkRemap: choices.linkRemap,
    extUnixSk: choices.extUnixSk,
    shellJob: choices.shellJob,
    fileLocks: choices.fileLocks,
    lazyPages: choices.lazyPages,
    autoDedup: choices.autoDedup,
    emptyNs: choices.emptyNs === 0 ? undefined : choices.emptyNs,
    manageCgroupsMode: choices.manageCgroupsMode ?? "soft",
    networkLock: choices.networkLock,
    notifyScripts: true,
    orphanPtsMaster: true,
    configFile: configFile(annotations),
  };
}

const configFiles = ["/etc/criu/bunc.conf", "/etc/criu/runc.conf"];

/** As runc calls it: the path of criu's configuration. */
export const criuConfigAnnotation = "org.criu.config";

/** criu's own configuration, which wins over its options. runc has the annotation; an empty one means none. */
function configFile(annotations: Readonly<Record<string, string>>): string | undefined {
  const asked = annotations[criuConfigAnnotation];
  if (asked !== undefined) return asked === "" ? undefined : asked;
  return configFiles.find((path) => exists(path));
}

/** criu restores into these from a descriptor, and leaves what is in them alone. Their names are runc's. */
export const externalNamespaces: readonly { readonly name: NamespaceName; readonly key: string }[] = [
  { name: "network", key: "extRootNetNS" },
  { name: "pid", key: "extRootPidNS" },
];

/** A namespace of a process as criu's option `external` names it: `net[4026531840]:extRootNetNS`. */
export function externalNamespace(pid: number, name: NamespaceName, key: string): string {
  const file = namespaceFiles[name];
  return `${file}[${stat(`/proc/${pid}/ns/${file}`).ino}]:${key}`;
}
