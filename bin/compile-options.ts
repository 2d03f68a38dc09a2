/** How Bun compiles bunc, and the empty program that bench/ measures it against. */

/** What Bun.build makes of the source. */
export const programOptions = {
  target: "bun",
  minify: true,
  bytecode: true,
  // What is imported by import() or require() when it is needed is a program of its own in the executable. The engine
  // makes every function of a program when it loads it: for `state` to load those of everything would take 1.6 ms.
  splitting: true,
  format: "esm",
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
