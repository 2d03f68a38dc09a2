import { SpecError } from "../../spec/error.ts";
import type { SupervisorRights } from "./rights.ts";

/** What --root-emulation takes; "auto" is what it is without. */
export type RootEmulationMode = "auto" | "seccomp" | "none" | "notify";

export const rootEmulationModes: readonly RootEmulationMode[] = ["auto", "seccomp", "none", "notify"];

/** Whether the calls that take a root with many ids are answered instead of made. */
export type PlannedRootEmulation =
  | { readonly kind: "none" }
  | {
      /** By the filter alone, or with a supervisor that remembers owners. */
      readonly kind: "seccomp" | "notify";
      /** Path of the file that tells apt to stay root, which APT_CONFIG names; "" where there is none. */
      readonly aptConfig: string;
    };

export interface RootEmulationContext extends SupervisorRights {
  /** The value of --root-emulation; undefined when it was not given. */
  readonly option: RootEmulationMode | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  /** The container's user namespace is the initial one. */
  readonly realRoot: boolean;
  /** The kernel has filters of system calls. */
  readonly filters: boolean;
  /** Init may load a filter: it has CAP_SYS_ADMIN in its user namespace, or no_new_privs is set. seccomp(2). */
  readonly mayLoad: boolean;
  /** The bundle's own profile has calls answered by an agent. */
  readonly agent: boolean;
  /** There are startContainer hooks, which run under the container's filters. */
  readonly startHooks: boolean;
  /** The image has apt, its /dev is a tmpfs that can be written to, and nobody has set APT_CONFIG. */
  readonly apt: boolean;
}

export const rootEmulationAnnotation = "org.bunc.root-emulation";

/** On a file system that is the container's alone, so that nothing of it is left in an image. */
const aptConfigPath = "/dev/.apt.conf";

/**
 * What the file tells apt: its downloaders stay root. By itself it has them become _apt, and looks afterwards whether they
 * did: that an answer was only an answer must not end the download. apt.conf(5).
 */
export const aptConfigText = 'APT::Sandbox::User "root";\n';

/**
 * Decides about root emulation: the option says, else the annotation, else the number of ids.
 * @returns with warnings about what was asked for, or would be needed, and cannot be had
 * @throws SpecError for a mode that is unknown, and for one that is asked for where no filter can be loaded, a
 *   second listener, or a supervisor with more rights than the container
 */
export function planRootEmulation(context: RootEmulationContext): {
  readonly emulation: PlannedRootEmulation;
  readonly warnings: readonly string[];
} {
  const { path, mode } = chosen(context);
  const none = (...warnings: string[]) => ({ emulation: { kind: "none" } as const, warnings });
  if (mode === "none" || (mode === "auto" && (context.realRoot || context.ids !== 1))) return none();
  if (context.realRoot)
    return none(`${path}: root emulation stays off: the container's root is the machine's`);
  if (mode === "notify") refuseSecondListener(context, path);
  const obstacle = obstacleTo(context) || (mode === "notify" ? supervisorObstacle(context) : "");
  if (obstacle === "") {
    const kind = mode === "notify" ? "notify" : "seccomp";
    return { emulation: { kind, aptConfig: context.apt ? aptConfigPath : "" }, warnings: [] };
  }
  if (mode !== "auto") throw new SpecError(path, `asks for ${mode}, but ${obstacle}`);
  return none(`root emulation stays off, though one id is mapped: ${obstacle}`);
}

/** The mode, and what to call it in messages. */
function chosen({ option, annotations }: RootEmulationContext): { path: string; mode: RootEmulationMode } {
  const path = `annotations["${rootEmulationAnnotation}"]`;
  const value = annotations?.[rootEmulationAnnotation];
  const annotated = value === undefined ? "auto" : rootEmulationModes.find((mode) => mode === value);
  if (annotated === undefined) {
    throw new SpecError(path, `is "${value}": it must be ${rootEmulationModes.join(", ")}`);
  }
  return option === undefined ? { path, mode: annotated } : { path: "--root-emulation", mode: option };
}

/** What would need a listener beside the supervisor's. */
function refuseSecondListener({ agent, startHooks }: RootEmulationContext, path: string): void {
  const asks = "asks for notify, but";
  if (agent) {
    throw new SpecError(
      path,
      `${asks} linux.seccomp has SCMP_ACT_NOTIFY, and a process has one listener: ask for seccomp, or leave it out`,
    );
  }
  if (startHooks) {
    throw new SpecError(
      path,
      `${asks} hooks.startContainer would run under it unanswered: ask for seccomp, or use a createContainer hook`,
    );
  }
}

function obstacleTo({ filters, mayLoad }: RootEmulationContext): string {
  if (!filters) return "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)";
  return mayLoad
    ? ""
    : "a filter can only be loaded with CAP_SYS_ADMIN: give the container a user namespace of its own, or set process.noNewPrivileges";
}

function supervisorObstacle(context: SupervisorRights): string {
  const { obstacleToSupervisor } = require("./rights.ts") as typeof import("./rights.ts");
  return obstacleToSupervisor(context);
}

/** Variables that the processes of the container get unless they have them. */
export function environmentOf(emulation: PlannedRootEmulation): readonly string[] {
  return emulation.kind === "none" || emulation.aptConfig === "" ? [] : [`APT_CONFIG=${emulation.aptConfig}`];
}
