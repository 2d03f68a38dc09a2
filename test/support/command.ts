/** Runs programs and captures what they print; nothing here can hang a test for ever. */
import { readFileSync } from "node:fs";
import type { Subprocess } from "bun";
import { searchPath } from "./machine.ts";

export interface Finished {
  /** The exit status as a shell gives it: 128 + n for signal n. */
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  /** The whole environment; only PATH unless given. */
  env?: Record<string, string>;
  /** Text to read until end of file, a descriptor, or a pipe that the test writes to; otherwise /dev/null. */
  stdin?: string | number | "pipe";
  /** Files (descriptors) for the output, instead of pipes that are read to their end. */
  stdout?: number;
  stderr?: number;
  /** Milliseconds until the test fails; 20,000 unless given. */
  timeout?: number;
}

/** A program that was started. `finished` settles when it has ended and nothing holds its output any more. */
export class Running {
  readonly finished: Promise<Finished>;
  readonly #process: Subprocess<"pipe" | "ignore" | number | Blob, "pipe" | number, "pipe" | number>;

  constructor(
    readonly argv: string[],
    options: CommandOptions,
  ) {
    const { stdin = "ignore" } = options;
    this.#process = Bun.spawn(argv, {
      cwd: options.cwd ?? "/",
      env: options.env ?? { PATH: searchPath },
      stdin: typeof stdin === "string" && stdin !== "pipe" && stdin !== "ignore" ? new Blob([stdin]) : stdin,
      stdout: options.stdout ?? "pipe",
      stderr: options.stderr ?? "pipe",
    });
    this.finished = this.#finish(options.timeout ?? 20_000);
    // A test that has failed already may never wait for it: its late failure is no other test's.
    this.finished.catch(() => {});
  }

  get pid(): number {
    return this.#process.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Writes to standard input, which must be a pipe. */
  write(text: string): void {
    const { stdin } = this.#process;
    if (typeof stdin !== "object" || stdin === null) throw new Error("standard input is no pipe");
    stdin.write(text);
    stdin.flush();
  }

  /** Ends standard input, which must be a pipe. */
  closeInput(): void {
    const { stdin } = this.#process;
    if (typeof stdin === "object" && stdin !== null) stdin.end();
  }

  async #finish(timeout: number): Promise<Finished> {
    const text = (stream: ReadableStream | number | undefined) =>
      stream instanceof ReadableStream ? new Response(stream).text() : Promise.resolve("");
    const outputs = Promise.all([text(this.#process.stdout), text(this.#process.stderr)]);
    const deadline = Date.now() + timeout;
    const command = this.argv.join(" ");

    if (!(await settles(this.#process.exited, timeout))) {
      this.#process.kill("SIGKILL");
      throw new Error(`still running after ${timeout} ms: ${command}`);
    }
    if (!(await settles(outputs, Math.max(deadline - Date.now(), 1000)))) {
      throw new Error(`it has exited, but a process that it left behind holds its output: ${command}`);
    }
    const [stdout, stderr] = await outputs;
    const { exitCode, signalCode } = this.#process;
    return { status: exitCode ?? 128 + signalNumber(signalCode), stdout, stderr };
  }
}

function signalNumber(name: NodeJS.Signals | number | null): number {
  if (typeof name === "number") return name;
  const numbers: Record<string, number> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGABRT: 6,
    SIGKILL: 9,
    SIGSEGV: 11,
  };
  return numbers[name ?? ""] ?? 15;
}

async function settles(promise: Promise<unknown>, timeout: number): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeout);
  });
  const result = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return result;
}

/** Runs a program to its end. Throws when it takes too long, or leaves its output open behind it. */
export function command(argv: string[], options: CommandOptions = {}): Promise<Finished> {
  return new Running(argv, options).finished;
}

/** Runs a program that must succeed, and gives what it printed. */
export async function output(argv: string[], options: CommandOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await command(argv, options);
  if (status !== 0) throw new Error(`${argv.join(" ")}: exit status ${status}: ${stderr}${stdout}`);
  return stdout;
}

/** Waits until `probe` gives something other than undefined or false; fails after `timeout` milliseconds. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 10_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const result = await probe();
    if (result !== undefined && result !== false) return result;
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}`);
    await Bun.sleep(10);
  }
}

/** A field of /proc/PID/status, such as `PPid` or `CapEff`. */
export function statusField(status: string, name: string): string {
  const value = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
  if (value === undefined) throw new Error(`no ${name} in ${status}`);
  return value;
}

export const processStatus = (pid: number): string => readFileSync(`/proc/${pid}/status`, "utf8");

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(processStatus(pid));
  } catch {
    return false;
  }
}
