import { SIG } from "../../ffi/constants/signal.ts";
import { Descriptor } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import { waitFor } from "../../ffi/process.ts";
import { compile } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import { endStage } from "../../ffi/timing.ts";
import { type CgroupRecord, isUsers } from "../linux/cgroups/cgroup-record.ts";
import { openCgroup } from "../linux/cgroups/enter.ts";
import type { ExecPlan } from "../plan/resolve-exec.ts";
import type { Filters } from "./confinement.ts";
import { ContainerError, describeEnd } from "./error.ts";
import { execDescriptors, recordExec } from "./exec-program.ts";
import { killedByBirth } from "./go-to-cgroup.ts";
import type { Handing } from "./hand-over.ts";
import type { Logger } from "./options.ts";
import { hangUp, type Message, openSync, receive, sendGo } from "./sync.ts";

/** What the processes of one `exec` need from outside; the descriptors stay the caller's. */
export interface ExecLaunchOptions {
  readonly id: string;
  readonly init: Descriptor;
  readonly root: Descriptor;
  /** A connected socket for the terminal's master; undefined without a terminal. */
  readonly console: Descriptor | undefined;
  readonly cgroup: CgroupRecord | null;
  readonly filters: Filters;
  /** The hand-over of a filter's listener; undefined when no filter has one. */
  readonly handing: Handing | undefined;
  /** The container's directory. */
  readonly directory: Descriptor;
  readonly log: Logger;
}

/**
 * Makes the processes of one `exec`, up to the one that waits in the container.
 * Throws ContainerError for a step that failed, SyscallError; then they are gone again.
 */
export function launchExec(plan: ExecPlan, options: ExecLaunchOptions): ExecLaunch {
  try {
    return new ExecLaunch(plan, options, "born");
  } catch (error) {
    if (!(error instanceof KilledByBirth)) throw error;
    options.log.debug(killedByBirth);
    return new ExecLaunch(plan, options, "moved");
  }
}

/** A process was killed before it was set up. */
export class ProcessKilled extends ContainerError {}

/** The one that was to be born into the container's cgroup has ended without a word. */
class KilledByBirth extends ProcessKilled {}

/** A process in the container that waits to be let go; until then nothing of it outlives bunc. */
export class ExecLaunch {
  private readonly sync: Descriptor;
  private image: Uint8Array = new Uint8Array();
  /** Children of this process that are there, in the order in which they were made. */
  private readonly children: number[] = [];
  /** How many processes the program makes, the spawned one included. */
  private readonly count: number;
  /** Whether the last one waits to be let go. */
  private ready = false;

  /** @param entry how the container's cgroup of version 2 is entered */
  constructor(
    private readonly plan: ExecPlan,
    options: ExecLaunchOptions,
    entry: "born" | "moved",
  ) {
    const users = options.cgroup && isUsers(options.cgroup) ? options.cgroup : undefined;
    using cgroup = options.cgroup && !users && entry === "born" ? openCgroup(options.cgroup) : undefined;
    this.count = cgroup ? 3 : 2;
    const { ours, theirs } = openSync();
    this.sync = ours;
    try {
      this.begin(options, theirs, cgroup);
    } finally {
      theirs.close();
    }
    try {
      if (users) this.attach(users);
      this.awaitReady();
      options.handing?.begun();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** The process in the container. */
  get pid(): number {
    return this.children.at(-1) ?? 0;
  }

  private begin(options: ExecLaunchOptions, theirs: Descriptor, cgroup: Descriptor | undefined): void {
    const { preserveFds } = this.plan;
    const { init, root, console, directory, id, filters, handing } = options;
    const numbers = execDescriptors(preserveFds, {
      console: console !== undefined,
      cgroup: cgroup !== undefined,
      handOver: handing !== undefined,
    });
    this.image = compile(recordExec(this.plan, numbers, options.cgroup, filters));
    endStage("record, compile");
    using memfd = new Descriptor(sealImage(this.image, directory.fd));
    const further = Array.from({ length: preserveFds }, (_, index) => 3 + index);
    for (const descriptor of [init, root, theirs, console, cgroup])
      if (descriptor) further.push(descriptor.fd);
    if (handing) further.push(handing.theirs.fd);
    this.children.push(spawnImage(memfd.fd, [`bunc: exec ${id}`], [], [0, 1, 2, ...further]));
    endStage("spawn");
  }

  /** The first process waits until systemd has moved it; the others are born where it is. */
  private attach(cgroup: CgroupRecord): void {
    const { attachToScope } =
      require("../linux/cgroups/systemd/attach.ts") as typeof import("../linux/cgroups/systemd/attach.ts");
    attachToScope(cgroup, this.pid);
    endStage("scope");
    sendGo(this.sync.fd);
  }

  /** The last process may be faster than the news of its number. */
  private awaitReady(): void {
    while (!this.ready || this.children.length < this.count) {
      const message = this.receive();
      if (message.kind === "pid") this.children.push(message.pid);
      this.ready ||= message.kind === "ready";
    }
    // The others have ended, or are about to.
    for (const pid of this.children.splice(0, this.count - 1)) waitFor(pid);
    endStage("join");
  }

  /**
   * Lets the process be executed. Throws ContainerError when it could not be.
   * @param handOver takes the listener of its filter
   */
  letGo(handOver: (() => void) | undefined): void {
    try {
      sendGo(this.sync.fd);
    } catch (error) {
      // It has ended: this says why.
      this.receive();
      throw error;
    }
    handOver?.();
    // End of file is the execution.
    const message = receive(this.sync.fd);
    if (message.kind === "failure") throw this.explain(message);
  }

  /** Ends the talk; the process lives on. */
  close(): void {
    this.sync.close();
  }

  /** Ends whatever processes there are. */
  abandon(): void {
    for (const pid of this.children) attempt.kill(pid, SIG.KILL);
    const late = hangUp(this.sync.fd);
    if (late !== 0) this.children.push(late);
    for (const pid of this.children) {
      attempt.kill(pid, SIG.KILL);
      waitFor(pid);
    }
    this.children.length = 0;
    this.close();
  }

  /** The next answer that is no failure. */
  private receive(): Message {
    const message = receive(this.sync.fd);
    if (message.kind === "failure") throw this.explain(message);
    if (message.kind === "end") throw this.explainEnd();
    return message;
  }

  private explainEnd(): ProcessKilled {
    const message = describeEnd("the process", SIG.KILL);
    const [first = 0] = this.children;
    // The second one tells its own number, and that is the first that is heard of it.
    if (this.ready || this.count < 3 || this.children.length > 1) return new ProcessKilled("exec", message);
    this.children.length = 0;
    if (waitFor(first).signal !== 0) return new ProcessKilled("exec", message);
    // Whatever its number is.
    waitFor(-1);
    return new KilledByBirth("exec", message);
  }

  private explain({ step, errno }: Extract<Message, { kind: "failure" }>): ContainerError {
    const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
    const [args0 = ""] = this.plan.execution.args;
    return explainStep(this.image, step, errno, args0);
  }
}
