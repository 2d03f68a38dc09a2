import { SIG } from "../../ffi/constants/signal.ts";
import { Descriptor, writeFile } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { waitFor } from "../../ffi/process.ts";
import { compileImage, type Image } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import { endStage } from "../../ffi/timing.ts";
import { applyLimits, createCgroup, openCgroup } from "../linux/cgroups/apply.ts";
import { describeCgroup } from "../linux/cgroups/describe.ts";
import { type CgroupRecord, destroyCgroup } from "../linux/cgroups/destroy.ts";
import type { ScopedPlan } from "../linux/cgroups/planned.ts";
import { writeIdmap } from "../linux/idmap/apply.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import { type OpenedNamespace, openNamespaces } from "../linux/namespaces/apply.ts";
import type { MovedDevices } from "../linux/netdevices/apply.ts";
import { applyRlimits } from "../linux/rlimits/apply.ts";
import type { Plan } from "../plan/types.ts";
import { files } from "../state/record.ts";
import { ContainerError, describeEnd } from "./error.ts";
import { killedByBirth } from "./go-to-cgroup.ts";
import { inheritedNumbers, preservedNumbers } from "./inherited.ts";
import { keepConfig } from "./kept-config.ts";
import { LateFilters } from "./late-filters.ts";
import type { Launched, LaunchOptions, RecordDraft } from "./launched.ts";
import { loadSeldom } from "./load-seldom.ts";
import { numbersOf, openMappedTrees, type Trees } from "./mapped-trees.ts";
import { awaitsOutfit, recordContainer } from "./program.ts";
import { hangUp, openSync } from "./sync.ts";
import { Talk } from "./talk.ts";

/**
 * Makes the container's processes and sets everything up, up to the gate. Nothing is left behind when that fails.
 * Throws ContainerError for a failed step, SpecError and SyscallError for what bunc itself could not do.
 */
export function launch(plan: Plan, options: LaunchOptions): Launched {
  return launchIn(null, plan, options);
}

/** @param made the container's cgroup, which init could not be born into; null when it is still to be made */
function launchIn(made: CgroupRecord | null, plan: Plan, options: LaunchOptions): Launched {
  const launching = new Launching(plan, options, made);
  try {
    launching.begin();
    launching.enterScope();
    // What the processes do not wait for is done while the kernel makes them; what init waits for goes before it.
    const outfits = awaitsOutfit(plan);
    if (!outfits) launching.compileAndKeep();
    launching.adopt();
    if (outfits) {
      launching.outfit();
      launching.compileAndKeep();
    }
    if (options.hooks) launching.runHooks(options.hooks);
    return launching.finish();
  } catch (error) {
    const cgroup = launching.leaveCgroup();
    launching.abandon();
    if (!cgroup) throw error;
    options.log.debug(killedByBirth);
    return launchIn(cgroup, plan, options);
  }
}

const scopes = () =>
  require("../linux/cgroups/systemd/scope.ts") as typeof import("../linux/cgroups/systemd/scope.ts");

/** One launch under way: what exists so far, so that it can be undone. */
class Launching {
  private readonly sync: Descriptor;
  private theirs: Descriptor;
  private image: Image | undefined;
  private cgroup: CgroupRecord | null;
  /** Whether init is born into it. */
  private born = false;
  private intelRdt: IntelRdtRecord | null = null;
  /** 0 while there is none. */
  private first = 0;
  private init = 0;
  /** The signal that ended it. */
  private ending = 0;
  /** The network devices that it has got. */
  private devices: MovedDevices | undefined;
  private readonly talk: Talk;
  private readonly filters: LateFilters;
  private draft: RecordDraft | undefined;
  /** The plan of the cgroups, where systemd makes them. */
  private readonly scoped: ScopedPlan | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly options: LaunchOptions,
    private readonly made: CgroupRecord | null,
  ) {
    this.cgroup = made;
    ({ ours: this.sync, theirs: this.theirs } = openSync());
    const { cgroup, execution } = plan;
    this.talk = new Talk(this.sync, {
      image: () => this.explained(),
      executable: execution.kind === "execute" ? (execution.args[0] ?? "") : "",
      log: options.log,
      copyUp: (mount) => this.copyUp(mount),
      explainEnd: () => this.explainEnd(),
    });
    this.scoped = cgroup.kind !== "none" && cgroup.scope ? cgroup : undefined;
    this.filters = new LateFilters(plan);
  }

  begin(): void {
    const { plan, options } = this;
    let namespaces: readonly OpenedNamespace[] = [];
    let trees: Trees | undefined;
    try {
      if (plan.notify && !this.made) makeNotifyDirectory(options.directory);
      namespaces = openNamespaces(plan.namespaces);
      trees = openMappedTrees(plan, namespaces, options.directory);
      if (!this.made) this.makeCgroup();
      using cgroupDirectory = this.cgroup && !this.made ? openCgroup(this.cgroup) : undefined;
      this.born = cgroupDirectory !== undefined;
      const inherited = {
        sync: this.theirs.fd,
        gate: options.gate,
        console: options.console,
        namespaces,
        trees: numbersOf(trees),
        cgroup: this.scoped ? describeCgroup(this.scoped) : this.cgroup,
        cgroupDirectory: cgroupDirectory?.fd ?? -1,
        handOver: options.handOver,
        filters: this.filters.sources,
      };
      endStage("namespaces, cgroup");
      const program = recordContainer(plan, inherited);
      endStage("record");
      this.image = compileImage(program);
      endStage("compile");
      using memfd = new Descriptor(sealImage(this.image.executable, options.directory.fd));
      this.first = spawnImage(
        memfd.fd,
        [`bunc: init ${plan.id}`],
        [...inheritedNumbers(inherited), ...preservedNumbers(plan.preserveFds)],
      );
      endStage("spawn");
    } finally {
      for (const { descriptor } of namespaces) descriptor.close();
      if (trees) for (const tree of trees.values()) tree.close();
      // From here on the end of file on our end means that the program's processes are gone.
      this.theirs.close();
    }
  }

  /** A scope of systemd begins with a process in it: the first one waits until it is there. */
  enterScope(): void {
    if (!this.scoped) return;
    scopes().enterScope(this.scoped, this.first);
    this.cgroup = describeCgroup(this.scoped);
    endStage("scope");
    this.talk.go();
  }

  private makeCgroup(): void {
    const { scoped, plan, options } = this;
    if (scoped) scopes().refuseTaken(scoped);
    this.announceCgroups();
    if (scoped) return;
    this.cgroup = createCgroup(plan.cgroup);
    if (!this.cgroup && plan.cgroup.kind !== "none")
      options.log.debug("the container has no cgroup: this caller may make none, and nothing needs one");
  }

  /** Whoever cleans up after a bunc that was killed finds what it was about to make. */
  private announceCgroups(): void {
    const record = describeCgroup(this.plan.cgroup);
    if (record === null) return;
    writeFile({ dirfd: this.options.directory.fd, path: files.cgroups }, JSON.stringify(record), 0o600);
  }

  compileAndKeep(): void {
    const { filters, config, directory, draft } = this.options;
    this.filters.fill(filters);
    writeFile({ dirfd: directory.fd, path: files.program }, this.explained(), 0o600);
    keepConfig(directory, config);
    endStage("keep image, config.json");
    this.draft = draft();
    endStage("draft record");
  }

  private explained(): Uint8Array {
    return this.image?.complete() ?? new Uint8Array();
  }

  /** The first process tells init's pid and ends. */
  adopt(): void {
    this.init = this.talk.awaitPid();
    waitFor(this.first);
    this.first = 0;
    endStage("first process");
  }

  outfit(): void {
    const { idmap, netDevices } = this.plan;
    writeIdmap(idmap, this.init);
    if (netDevices.length > 0) this.devices = netDevicesRoom().moveNetDevices(netDevices, this.init);
    this.talk.go();
  }

  finish(): Launched {
    this.talk.await("ready");
    endStage("init");
    // Not before: a low limit of processes, memory or files could break the set-up.
    if (this.cgroup) applyLimits(this.plan.cgroup);
    const { intelRdt } = this.plan;
    if (intelRdt) this.intelRdt = classes().enterClass(intelRdt, this.init, this.options.directory);
    applyRlimits(this.plan.rlimits, this.init);
    if (this.plan.seldom) loadSeldom().applySettings(this.plan.seldom, this.init);
    endStage("limits");
    return {
      pid: this.init,
      draft: this.draft as RecordDraft,
      sync: this.sync,
      image: this.explained(),
      cgroup: this.cgroup,
      intelRdt: this.intelRdt,
      abandon: () => this.abandon(),
    };
  }

  abandon(): void {
    this.giveDevicesBack();
    this.end(this.first);
    // Init may exist before its pid is told.
    if (this.init === 0) this.init = hangUp(this.sync.fd);
    this.end(this.init);
    this.sync.close();
    this.filters.close();
    if (this.cgroup) destroyCgroup(this.cgroup);
    if (this.intelRdt) classGroups().leaveIntelRdt(this.intelRdt);
  }

  /** The cgroup, which stays, if init was killed by its birth there: then it has said nothing. null otherwise. */
  leaveCgroup(): CgroupRecord | null {
    if (!this.born || this.talk.heard) return null;
    if (this.init !== 0) {
      // Something else has failed, perhaps because init is gone; if it is not, it ends when bunc hangs up.
      this.giveDevicesBack();
      hangUp(this.sync.fd);
      this.ending = waitFor(this.init).signal;
      this.init = 0;
    }
    if (this.ending !== SIG.KILL) return null;
    const { cgroup } = this;
    this.cgroup = null;
    return cgroup;
  }

  runHooks(run: NonNullable<LaunchOptions["hooks"]>): void {
    this.talk.await("hooks");
    run(this.init, this.cgroup);
    this.talk.go();
  }

  /** While the container's network namespace is there: the kernel would not give them back to the caller. */
  private giveDevicesBack(): void {
    if (!this.devices) return;
    try {
      netDevicesRoom().returnNetDevices(this.devices);
    } catch (error) {
      this.options.log.warn(`linux.netDevices: a device could not be given back: ${error}`);
    }
    this.devices = undefined;
  }

  private end(pid: number): void {
    if (pid === 0) return;
    attempt.kill(pid, SIG.KILL);
    waitFor(pid);
  }

  private copyUp(mount: number): void {
    const { copyUp } = require("./copy-up.ts") as typeof import("./copy-up.ts");
    const { sync, init, plan, options } = this;
    const origin = plan.mounts[mount]?.origin ?? "mounts";
    const ownUser = plan.namespaces.user.kind === "inherit";
    copyUp({ sync, init, origin, ownUser, directory: options.directory });
  }

  private explainEnd(): ContainerError {
    const pid = this.init || this.first;
    attempt.kill(pid, SIG.KILL);
    const { signal } = waitFor(pid);
    if (this.init) this.ending = signal;
    if (this.init) this.init = 0;
    else this.first = 0;
    return new ContainerError("init", describeEnd("the container's first process", signal));
  }
}

function netDevicesRoom() {
  return require("../linux/netdevices/apply.ts") as typeof import("../linux/netdevices/apply.ts");
}

/** Everybody in the container may pass through it; its modes do not depend on the caller's mask. */
function makeNotifyDirectory({ fd }: Descriptor): void {
  libc.mkdirat(fd, files.notify, 0o755);
  libc.fchmodat(fd, files.notify, 0o755);
}

const classes = () => require("./class-of-service.ts") as typeof import("./class-of-service.ts");
const classGroups = () =>
  require("../linux/intel-rdt/groups.ts") as typeof import("../linux/intel-rdt/groups.ts");
