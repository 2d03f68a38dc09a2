/** How Bun compiles bunc, and the empty program that bench/ measures it against. */

/** What Bun.build makes of the source. */
export const programOptions = {
  target: "bun",
  minify: true,
  bytecode: true,
  // CommonJS starts 0.8 ms sooner than ESM; it knows no top-level await.
  format: "cjs",
} as const;

/** What the executable does when it starts, before the program. */
export const executableOptions = {
  // What callers have in BUN_OPTIONS (--preload) or BUN_INSPECT must not become code in a process of root.
  execArgv: ["--disallow-code-generation-from-strings=strict"],
  // No command lives long enough for compiled code to pay: its threads take a sixth of the processor time of `create`.
  jitPolicy: 64,
  // The current directory is a bundle, and a bundle is not to be trusted: nothing may be read from it.
  autoloadBunfig: false,
  autoloadDotenv: false,
  autoloadTsconfig: false,
  autoloadPackageJson: false,
};
