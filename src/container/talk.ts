import type { Descriptor } from "../../ffi/file.ts";
import { ContainerError } from "./error.ts";
import type { Logger } from "./options.ts";
import { type Message, receive, sendGo } from "./sync.ts";

/** What a talk asks of the launch that it belongs to. */
export interface Launcher {
  /** The program that talks, for explaining its steps. */
  image(): Uint8Array;
  /** What the container's process executes; "" for nothing. */
  readonly executable: string;
  readonly log: Logger;
  /** Fills a mount with what the image has there, before init goes on. */
  copyUp(mount: number): void;
  /** Every process of the program is gone without a word: why. */
  explainEnd(): ContainerError;
}

/** The talk with the processes of a container's program, from our end. Failures are thrown, requests are met at once. */
export class Talk {
  /** What init has told already, when it was faster than the first process. */
  private early: Message | undefined;
  /** Whether init has said anything; of the first process, whether a step of it has failed. */
  heard = false;

  constructor(
    readonly sync: Descriptor,
    private readonly launcher: Launcher,
  ) {}

  /** Waits for init's pid. Throws ContainerError. */
  awaitPid(): number {
    let message = this.receive();
    if (message.kind !== "pid") {
      this.early = message;
      message = this.receive();
    }
    if (message.kind !== "pid") throw unexpected(message, "its pid");
    return message.pid;
  }

  /** Waits for an answer. Throws ContainerError. */
  await(answer: Message["kind"]): void {
    const message = this.early ?? this.receive();
    this.early = undefined;
    if (message.kind !== answer) throw unexpected(message, answer);
  }

  /** Lets the program go on. Throws ContainerError where it has failed before, SyscallError. */
  go(): void {
    try {
      sendGo(this.sync.fd);
    } catch (error) {
      // Then it has said why.
      this.receive();
      throw error;
    }
  }

  /** The next answer that is neither a failure nor a request. */
  private receive(): Message {
    for (;;) {
      const message = receive(this.sync.fd);
      if (message.kind === "end") throw this.launcher.explainEnd();
      if (message.kind !== "pid") this.heard = true;
      if (message.kind === "failure") throw this.explain(message.step, message.errno);
      if (message.kind === "instead") this.tellInstead(message.step);
      else if (message.kind === "copy") this.copyUp(message.mount);
      else return message;
    }
  }

  private explain(step: number, errno: number): ContainerError {
    const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
    return explainStep(this.launcher.image(), step, errno, this.launcher.executable);
  }

  private copyUp(mount: number): void {
    this.launcher.copyUp(mount);
    sendGo(this.sync.fd);
  }

  private tellInstead(step: number): void {
    const { describeStep } =
      require("../../ffi/program/listing.ts") as typeof import("../../ffi/program/listing.ts");
    const { origin, call } = describeStep(this.launcher.image(), step);
    this.launcher.log.debug(
      `${origin}: the kernel does not permit here what is asked for, so instead: ${call}`,
    );
  }
}

function unexpected({ kind }: Message, expected: string): ContainerError {
  return new ContainerError("init", `answered ${kind} instead of ${expected}`);
}
