/**
 * Compiles bin/bunc.ts to one executable: `bun bin/build.ts [x64|arm64 …]`, by default for this machine.
 * The executable for this machine is dist/bunc, the one for another processor dist/bunc-ARCH.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { keepCallerLimits } from "./caller-limits.ts";
import { executableOptions, programOptions } from "./compile-options.ts";
import { ignoreVariables } from "./deaf-variables.ts";
import { readTables, type Tables } from "./fold-constants.ts";
import { putPrelude } from "./prelude.ts";
import { sharedPrograms } from "./shared-programs.ts";
import { postponeWarmUp } from "./warm-up-thread.ts";
import { writeAnew } from "./write-anew.ts";

const root = resolve(import.meta.dir, "..");
const dist = resolve(root, "dist");

/** Our names for the processors, those of Bun's npm packages. */
const processors = {
  x64: { target: "bun-linux-x64", package: "@oven/bun-linux-x64" },
  arm64: { target: "bun-linux-arm64", package: "@oven/bun-linux-aarch64" },
} as const;

type Processor = keyof typeof processors;

/** Bun's own executable for another processor: bun.lock has its checksum, but Bun installs only what can run here. */
async function foreignExecutable(processor: Processor): Promise<string> {
  const path = resolve(root, "node_modules", processors[processor].package, "bin/bun");
  if (!existsSync(path)) {
    const install = Bun.spawn([process.execPath, "install", "--frozen-lockfile", "--cpu", "*"], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    });
    if ((await install.exited) !== 0) throw new Error(`could not install ${processors[processor].package}`);
  }
  return path;
}

/** Makes the executable in a directory of its own: the last one stays, and may be running, until the new one is complete. */
async function build(processor: Processor): Promise<void> {
  const name = processor === process.arch ? "bunc" : `bunc-${processor}`;
  const directory = mkdtempSync(resolve(dist, ".build-"));
  const outfile = resolve(directory, name);
  try {
    const tables = await readTables(processor);
    await compile(processor, outfile, tables);
    keepCallerLimits(outfile);
    ignoreVariables(outfile);
    postponeWarmUp(outfile);
    putPrelude(outfile, processor, tables);
    writeAnew(outfile);
    renameSync(outfile, resolve(dist, name));
  } finally {
    rmSync(directory, { recursive: true });
  }
  const size = statSync(resolve(dist, name)).size / 2 ** 20;
  console.log(`${resolve(dist, name)}: ${size.toFixed(0)} MiB, ${processor}`);
}

async function compile(processor: Processor, outfile: string, tables: Tables): Promise<void> {
  const native = processor === process.arch;
  const result = await Bun.build({
    ...programOptions,
    entrypoints: [resolve(root, "bin/bunc.ts")],
    plugins: [sharedPrograms(tables)],
    // An executable is for one processor: numbers that depend on it become constants.
    define: { "process.arch": JSON.stringify(processor) },
    compile: {
      ...executableOptions,
      target: processors[processor].target,
      outfile,
      ...(native ? {} : { executablePath: await foreignExecutable(processor) }),
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `${outfile} was not built`);
}

function isProcessor(name: string): name is Processor {
  return Object.hasOwn(processors, name);
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : [process.arch];
mkdirSync(dist, { recursive: true });
for (const name of wanted) {
  if (!isProcessor(name)) {
    console.error(`build: unknown processor ${name}; known are ${Object.keys(processors).join(", ")}`);
    process.exit(1);
  }
  await build(name);
}
