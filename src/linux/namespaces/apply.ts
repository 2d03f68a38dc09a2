import { ERRNO } from "../../../ffi/constants/errno.ts";
import { O } from "../../../ffi/constants/file.ts";
import { NS_GET_NSTYPE } from "../../../ffi/constants/process.ts";
import { type Descriptor, exists, openFile, readLink } from "../../../ffi/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { SpecError } from "../../spec/error.ts";
import {
  type NamespaceName,
  namespaceFiles,
  namespaceFlags,
  namespaceNames,
  type PlannedNamespaces,
} from "./plan.ts";

/** A namespace to join, opened in the caller's view and known to be of the right type. */
export interface OpenedNamespace {
  readonly name: NamespaceName;
  readonly descriptor: Descriptor;
  readonly origin: string;
}

/**
 * Opens the namespaces to join and asks the kernel what they are: joining a file of another type would leave the
 * container in the caller's namespace. ioctl_ns(2), NS_GET_NSTYPE, Linux 4.11.
 * Throws SpecError for a file of another type, and for one that cannot be opened, with the call in its cause.
 */
export function openNamespaces(namespaces: PlannedNamespaces): OpenedNamespace[] {
  const opened: OpenedNamespace[] = [];
  for (const name of namespaceNames) {
    const namespace = namespaces[name];
    if (namespace.kind !== "join") continue;
    // Whatever the path leads to: opening a FIFO must not wait, and a terminal must not become ours.
    const descriptor = openGiven(namespace.path, namespace.origin);
    const type = attempt.ioctl(descriptor.fd, NS_GET_NSTYPE, null);
    if (type !== namespaceFlags[name]) {
      descriptor.close();
      throw new SpecError(namespace.origin, wrongType(namespace.path, name, type));
    }
    opened.push({ name, descriptor, origin: namespace.origin });
  }
  return opened;
}

function openGiven(path: string, origin: string): Descriptor {
  try {
    return openFile(path, O.RDONLY | O.NONBLOCK | O.NOCTTY);
  } catch (error) {
    throw new SpecError(origin, `could not be opened (${path})`, { cause: error });
  }
}

/**
 * The namespaces of a process that are not this process's own: CLONE_NEW* or-ed. One of a kind that the kernel does not
 * have is passed over. Throws SyscallError, EACCES when the process may not be looked into.
 */
export function foreignNamespaces(pid: number): number {
  let flags = 0;
  for (const name of namespaceNames) {
    const own = `/proc/self/ns/${namespaceFiles[name]}`;
    const theirs = `/proc/${pid}/ns/${namespaceFiles[name]}`;
    if (exists(own) && readLink(own) !== readLink(theirs)) flags += namespaceFlags[name];
  }
  return flags;
}

function wrongType(path: string, wanted: NamespaceName, type: number): string {
  if (type === -ERRNO.ENOTTY) return `${path} is not a namespace; a ${wanted} namespace was expected`;
  const found = namespaceNames.find((name) => namespaceFlags[name] === type) ?? "unknown";
  return `${path} is a ${found} namespace; a ${wanted} namespace was expected`;
}
