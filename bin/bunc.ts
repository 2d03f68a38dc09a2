#!/usr/bin/env bun
import { libc } from "../ffi/libc.ts";
import { main } from "../src/cli/main.ts";

// Everything was written by the time main is done, so the process ends at once instead of taking the engine down first.
main(process.argv.slice(2)).then((status) => libc.exit_group(status));
