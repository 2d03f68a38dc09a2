/**
 * Compiles bin/bunc.ts to one executable: `bun bin/build.ts [x64|arm64 …]`, by default for this machine.
 * The executable for this machine is dist/bunc, the one for another processor dist/bunc-ARCH.
 */
import { existsSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { BunPlugin } from "bun";

const root = resolve(import.meta.dir, "..");

/** Our names for the processors, those of Bun's npm packages. */
const processors = {
  x64: { target: "bun-linux-x64", package: "@oven/bun-linux-x64" },
  arm64: { target: "bun-linux-arm64", package: "@oven/bun-linux-aarch64" },
} as const;

type Processor = keyof typeof processors;

/**
 * Modules that a dependency imports and that cost more to load than the little of them that is used: each is replaced
 * by a file of ours. A file that does not exist leaves the module as it is.
 */
const replacements: readonly { importer: RegExp; module: string; by: string }[] = [
  // citty wants only parseArgs of it.
  { importer: /\/node_modules\/citty\/dist\/index\.mjs$/, module: "node:util", by: "src/cli/parse-args.ts" },
];

/** The bundler resolves Bun's own modules before it asks a plugin, so the import is rewritten in the importer's text. */
const replaceModules: BunPlugin = {
  name: "replace-modules",
  setup(build) {
    for (const { importer, module, by } of replacements) {
      const path = resolve(root, by);
      if (!existsSync(path)) continue;
      build.onLoad({ filter: importer }, async (args) => {
        const text = await Bun.file(args.path).text();
        const quoted = `from ${JSON.stringify(module)}`;
        if (!text.includes(quoted)) throw new Error(`${args.path} does not import ${module} any more`);
        return { contents: text.replace(quoted, `from ${JSON.stringify(path)}`), loader: "js" };
      });
    }
  },
};

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

async function build(processor: Processor): Promise<void> {
  const native = processor === process.arch;
  const outfile = resolve(root, native ? "dist/bunc" : `dist/bunc-${processor}`);
  const result = await Bun.build({
    entrypoints: [resolve(root, "bin/bunc.ts")],
    target: "bun",
    minify: true,
    bytecode: true,
    // CommonJS starts 0.8 ms sooner than ESM; it knows no top-level await.
    format: "cjs",
    plugins: [replaceModules],
    compile: {
      target: processors[processor].target,
      outfile,
      ...(native ? {} : { executablePath: await foreignExecutable(processor) }),
      // The current directory is a bundle, and a bundle is not to be trusted: nothing may be read from it.
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `${outfile} was not built`);
  console.log(`${outfile}: ${(statSync(outfile).size / 2 ** 20).toFixed(0)} MiB, ${processor}`);
}

function isProcessor(name: string): name is Processor {
  return Object.hasOwn(processors, name);
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : [process.arch];
await mkdir(resolve(root, "dist"), { recursive: true });
for (const name of wanted) {
  if (!isProcessor(name)) {
    console.error(`build: unknown processor ${name}; known are ${Object.keys(processors).join(", ")}`);
    process.exit(1);
  }
  await build(name);
}
