/** A program on a terminal of its own, as a person at a shell would start it. */
import { until } from "./command.ts";
import { searchPath } from "./machine.ts";

export class OnTerminal {
  #text = "";
  readonly #process: Bun.Subprocess;

  constructor(
    argv: string[],
    options: { cwd?: string; env?: Record<string, string>; rows?: number; columns?: number } = {},
  ) {
    this.#process = Bun.spawn(argv, {
      cwd: options.cwd ?? "/",
      env: options.env ?? { PATH: searchPath, TERM: "dumb" },
      terminal: {
        rows: options.rows ?? 24,
        cols: options.columns ?? 80,
        data: (_, chunk) => {
          this.#text += new TextDecoder().decode(chunk);
        },
      },
    });
  }

  /** Everything that has been printed. */
  get text(): string {
    return this.#text;
  }

  write(text: string): void {
    this.#process.terminal?.write(text);
  }

  resize(rows: number, columns: number): void {
    this.#process.terminal?.resize(columns, rows);
  }

  /** The line discipline's local flags: ECHO, ICANON… */
  get localFlags(): number {
    return this.#process.terminal?.localFlags ?? 0;
  }

  /** What somebody else who has the terminal, a shell for example, makes of them. */
  set localFlags(flags: number) {
    const { terminal } = this.#process;
    if (terminal) terminal.localFlags = flags;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async waitFor(text: string | RegExp): Promise<void> {
    try {
      await until(String(text), () =>
        typeof text === "string" ? this.#text.includes(text) : text.test(this.#text),
      );
    } catch (error) {
      throw new Error(`the terminal shows ${JSON.stringify(this.#text)}`, { cause: error });
    }
  }

  /** Waits for the program's end and gives its exit status; kills it when that takes too long. */
  async exit(timeout = 20_000): Promise<number> {
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), timeout);
    const status = await this.#process.exited;
    clearTimeout(timer);
    // What it printed last may be on its way still.
    await Bun.sleep(20);
    this.#process.terminal?.close();
    return status;
  }
}
