import { AT, F, O } from "../../ffi/constants/file.ts";
import { SIG } from "../../ffi/constants/signal.ts";
import { Descriptor, openFile, readLink, stat, writeFile } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { waitFor } from "../../ffi/process.ts";
import { compile } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import { connectUnix } from "../../ffi/socket.ts";
import { sendDescriptor } from "../../ffi/socket-message.ts";
import { absolutePath } from "../bundle/directory.ts";
import { applyLimits, createCgroup } from "../linux/cgroups/apply.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { describeCgroup } from "../linux/cgroups/describe.ts";
import { destroyCgroup } from "../linux/cgroups/destroy.ts";
import type { ScopedPlan } from "../linux/cgroups/planned.ts";
import type { CriuOptions, InheritedDescriptor, Notification } from "../linux/criu/messages.ts";
import { CriuEnd, CriuSession } from "../linux/criu/session.ts";
import { type OpenedNamespace, openNamespaces } from "../linux/namespaces/apply.ts";
import type { Plan } from "../plan/types.ts";
import { files, type StateRecord } from "../state/record.ts";
import { directoryOf } from "../state/store.ts";
import { draftRecord, keep } from "./create.ts";
import type { CreateHooks } from "./create-hooks.ts";
import {
  type CriuDirectories,
  checkAnswer,
  checkVersion,
  commonOptions,
  criuError,
  externalNamespaces,
} from "./criu.ts";
import { ContainerError } from "./error.ts";
import { restoredMounts } from "./external-mounts.ts";
import { keepConfig } from "./kept-config.ts";
import type { RestoreOptions } from "./restore.ts";
import { recordRestore } from "./restore-program.ts";
import { joinedNamespaces, readCgroups, submountsOf } from "./restored-surroundings.ts";
import { openSync, receive, sendGo } from "./sync.ts";

const origin = "restore";

/** Name of the empty directory of the state directory on which the program mounts the root for criu. */
const rootName = "criu-root";

/** Where the notify socket's directory would be: criu needs something there if the container had one. */
const notifyName = files.notify;

/** The numbers below are those of standard streams. */
const firstFree = 3;

/** What one restoration is about. */
export interface Wanted {
  readonly plan: Plan;
  /** config.json as it was read. */
  readonly bytes: Uint8Array;
  readonly options: RestoreOptions;
  readonly directories: CriuDirectories;
  /** The container's directory. */
  readonly directory: Descriptor;
  readonly hooks: CreateHooks | undefined;
  /** Path of criu. */
  readonly criu: string;
  readonly inherited: readonly InheritedDescriptor[];
}

/** A container that runs again. */
export interface Restored {
  readonly record: StateRecord;
  readonly cgroup: CgroupRecord | null;
  /** Its terminal, when no console socket has taken it; undefined without. */
  readonly master: Descriptor | undefined;
}

const scopes = () =>
  require("../linux/cgroups/systemd/scope.ts") as typeof import("../linux/cgroups/systemd/scope.ts");

/** One restoration under way: what exists so far, so that it can be undone. */
export class Restoration {
  private cgroup: CgroupRecord | null = null;
  private namespaces: readonly OpenedNamespace[] = [];
  private streams: readonly Descriptor[] = [];
  private record: StateRecord | undefined;
  private master: Descriptor | undefined;
  /** criu's process. */
  private worker = 0;

  /** The plan of the cgroups, where systemd makes them. */
  private readonly scoped: ScopedPlan | undefined;

  constructor(private readonly wanted: Wanted) {
    const { cgroup } = wanted.plan;
    this.scoped = cgroup.kind !== "none" && cgroup.scope ? cgroup : undefined;
  }

  /** Has criu make the container's processes. Throws ContainerError, SpecError, SyscallError; then nothing is left. */
  run(): Restored {
    const { plan, options, directories } = this.wanted;
    const what = `restore container "${plan.id}"`;
    try {
      this.prepare();
      using session = new CriuSession((socket) => this.launch(socket));
      checkVersion(origin, session.askVersion(), options.log);
      directories.reopen(this.worker);
      const answer = session.request("restore", this.options(), (event, descriptor) =>
        this.listen(event, descriptor),
      );
      checkAnswer(answer, origin, what, directories);
      session.end();
      if (!this.record) throw criuError(origin, what, "it has not told of the restored process", directories);
      return { record: this.record, cgroup: this.cgroup, master: this.master };
    } catch (error) {
      this.master?.close();
      if (this.cgroup) destroyCgroup(this.cgroup);
      if (this.wanted.plan.intelRdt) classes().leaveAnnouncedClass(this.wanted.directory);
      throw error instanceof CriuEnd ? criuError(origin, what, error.message, directories) : error;
    } finally {
      for (const { descriptor } of this.namespaces) descriptor.close();
      for (const stream of this.streams) stream.close();
      attempt.unlinkat(this.wanted.directory.fd, rootName, AT.REMOVEDIR);
    }
  }

  private prepare(): void {
    const { plan, directory } = this.wanted;
    const cgroups = describeCgroup(plan.cgroup);
    if (this.scoped) scopes().refuseTaken(this.scoped);
    // Whoever cleans up after a bunc that was killed finds what it was about to make.
    if (cgroups) writeFile({ dirfd: directory.fd, path: files.cgroups }, JSON.stringify(cgroups), 0o600);
    this.namespaces = openNamespaces(plan.namespaces);
    this.checkReadable();
    // criu closes what it takes over, and with --shell-job it still needs its own standard input.
    this.streams = this.wanted.inherited.map(
      ({ fd }) => new Descriptor(libc.fcntl(fd, F.DUPFD_CLOEXEC, firstFree)),
    );
    this.cgroup = this.scoped ? cgroups : createCgroup(plan.cgroup);
    libc.mkdirat(directory.fd, rootName, 0o755);
    libc.mkdirat(directory.fd, notifyName, 0o755);
  }

  /** criu reads some of the images as the container's root, and its own message does not say so. */
  private checkReadable(): void {
    const { plan, options, directories } = this.wanted;
    if (plan.namespaces.user.kind === "inherit" || (stat(directories.images.fd).mode & 1) !== 0) return;
    const path = absolutePath(options.imagePath);
    throw new ContainerError(
      origin,
      `${origin}: the container's root must be able to enter ${path}: chmod o+x ${path}, and keep others out by a directory above it, for memory is in there`,
    );
  }

  /** Starts the program that becomes criu, and waits until it has. Returns its pid. */
  private launch(socket: number): number {
    const { plan, directory, criu } = this.wanted;
    const { ours, theirs } = openSync();
    using sync = ours;
    const namespaces = this.externalNamespaces().map(({ descriptor }) => descriptor.fd);
    const keeping = [socket, ...namespaces, ...this.streams.map(({ fd }) => fd)];
    const program = recordRestore(plan, {
      report: theirs.fd,
      keep: keeping,
      cgroup: this.cgroup,
      root: this.root(),
      criu,
      args: ["criu", "swrk", String(socket)],
      env: Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ""}`),
    });
    const image = compile(program);
    try {
      using memfd = new Descriptor(sealImage(image, directory.fd));
      this.worker = spawnImage(memfd.fd, [`bunc: restore ${plan.id}`], [theirs.fd, ...keeping]);
    } finally {
      theirs.close();
    }
    try {
      this.letGo(sync, image);
      return this.worker;
    } catch (error) {
      attempt.kill(this.worker, SIG.KILL);
      waitFor(this.worker);
      throw error;
    }
  }

  /** End of file on the sync socket is the execution of criu. */
  private letGo(sync: Descriptor, image: Uint8Array): void {
    if (this.scoped) this.enterScope(this.scoped, sync);
    const message = receive(sync.fd);
    if (message.kind !== "failure") return;
    const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
    throw explainStep(image, message.step, message.errno, "");
  }

  private enterScope(scoped: ScopedPlan, sync: Descriptor): void {
    try {
      scopes().enterScope(scoped, this.worker);
    } catch (error) {
      // Nothing of it is left, and one that was there already is another container's.
      this.cgroup = null;
      throw error;
    }
    sendGo(sync.fd);
  }

  private externalNamespaces(): (OpenedNamespace & { readonly key: string })[] {
    return externalNamespaces.flatMap(({ name, key }) => {
      const opened = this.namespaces.find((each) => each.name === name);
      return opened ? [{ ...opened, key }] : [];
    });
  }

  /** As criu will find it among the mounts. */
  private root(): string {
    using opened = openFile(rootName, O.PATH | O.DIRECTORY, 0, this.wanted.directory.fd);
    return readLink(`/proc/self/fd/${opened.fd}`);
  }

  private options(): CriuOptions {
    const { plan, options, directories, inherited } = this.wanted;
    const notify = absolutePath(`${directoryOf(options.root, options.id)}/${notifyName}`);
    const streams = inherited.map(({ key }, index) => ({ key, fd: this.streams[index]?.fd ?? -1 }));
    const namespaces = this.externalNamespaces().map(({ key, descriptor }) => ({ key, fd: descriptor.fd }));
    return {
      ...commonOptions(options, plan.annotations),
      ...directories.options,
      evasiveDevices: true,
      rstSibling: true,
      root: plan.namespaces.mount.kind === "new" ? this.root() : undefined,
      extMnt: restoredMounts(plan, submountsOf, notify),
      cgRoot: this.cgroup ? readCgroups(this.worker) : [],
      inheritFd: [...streams, ...namespaces],
      joinNs: joinedNamespaces(plan),
      lsmProfile: options.lsmProfile,
      lsmMountContext: options.lsmMountContext,
    };
  }

  private listen({ script, pid }: Notification, descriptor: Descriptor | undefined): void {
    const { plan, bytes, options, directory, hooks } = this.wanted;
    options.log.debug(`criu: ${script}`);
    if (script === "orphan-pts-master" && descriptor) {
      this.passTerminal(descriptor);
      return;
    }
    descriptor?.close();
    if (script === "setup-namespaces") hooks?.runOutside(pid);
    if (script !== "post-restore") return;
    // Its processes are all there, and do not run yet.
    if (this.cgroup) applyLimits(plan.cgroup);
    const intelRdt = plan.intelRdt && classes().enterRestored(plan.intelRdt, pid, this.cgroup, directory);
    keepConfig(directory, bytes);
    const launched = { pid, cgroup: this.cgroup, intelRdt, draft: draftRecord(plan) };
    this.record = keep(plan, options, launched, directory, { hooks, receiver: null });
  }

  private passTerminal(master: Descriptor): void {
    const { consoleSocket } = this.wanted.options;
    // A terminal whose other end the container held itself is nobody's here.
    if (this.wanted.plan.terminal.kind !== "new" || this.master) {
      master.close();
    } else if (consoleSocket === undefined) {
      this.master = master;
    } else {
      using sent = master;
      using socket = connectUnix(consoleSocket);
      sendDescriptor(socket.fd, sent.fd, "orphan-pts-master");
    }
  }
}

const classes = () => require("./class-of-service.ts") as typeof import("./class-of-service.ts");
