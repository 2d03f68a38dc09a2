/** A seccomp agent, a process of its own: answering is a system call that waits. */
import { afterAll } from "bun:test";
import { join } from "node:path";
import type { State } from "./container.ts";
import { searchPath } from "./machine.ts";

/** What a runtime tells an agent: config-linux.md, "The Container Process State". */
export interface ProcessState {
  ociVersion: string;
  fds: string[];
  pid: number;
  metadata?: string;
  state: State;
}

export class Agent {
  readonly #lines: AsyncGenerator<string>;
  readonly #process: { kill(): void; exited: Promise<number> };

  private constructor(readonly path: string) {
    const program = join(import.meta.dir, "agent-program.ts");
    const running = Bun.spawn([process.execPath, program, path], {
      env: { PATH: searchPath },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    afterAll(() => running.kill());
    this.#process = running;
    this.#lines = lines(running.stdout);
  }

  /** Starts one; it listens at the path, which is shorter than 108 bytes, and ends with the test file. */
  static async start(path: string): Promise<Agent> {
    const agent = new Agent(path);
    if ((await agent.#next()) !== "listening") throw new Error("the agent does not listen");
    return agent;
  }

  /** Waits for the next container. */
  async told(): Promise<ProcessState> {
    return JSON.parse(await this.#next()) as ProcessState;
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }

  async #next(): Promise<string> {
    const { value } = await this.#lines.next();
    if (typeof value !== "string") throw new Error("the agent has ended");
    return value;
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
