import { CLONE } from "../../ffi/constants/process.ts";
import { foreignNamespaces } from "../linux/namespaces/apply.ts";
import type { ExecFacts } from "../plan/resolve-exec.ts";
import type { Process } from "../spec/types.ts";
import { probeBoundingSet, probeLastCapability } from "./capabilities.ts";
import { needsHome, readPasswd } from "./image.ts";
import { probeCallerFiles } from "./open-files.ts";
import { ownStreams, probeSecurity } from "./probe.ts";
import { readOr } from "./read.ts";

/**
 * Asks the machine, and the container, what a further process in it depends on.
 * @param init the container's first process: it must be there until the answer has been used
 * Throws SyscallError, EACCES when the caller may not look into the container.
 */
export function probeExec(init: number, process: Process): ExecFacts {
  const joins = foreignNamespaces(init);
  const lastCapability = probeLastCapability();
  return {
    joins,
    joinsUser: (joins & CLONE.NEWUSER) !== 0,
    arch: globalThis.process.arch === "arm64" ? "arm64" : "x64",
    bounding: process.capabilities ? probeBoundingSet(lastCapability) : 0n,
    lastCapability,
    securityModules: probeSecurity({ process }),
    setgroupsDenied: readOr(`/proc/${init}/setgroups`, "allow").startsWith("deny"),
    callerFiles: probeCallerFiles(),
    ownStreams: ownStreams(),
    // As the container has it now, whatever was in the image; links in it lead nowhere else.
    passwd: needsHome(process.env ?? []) ? readPasswd(`/proc/${init}`, "root", []) : "",
  };
}
