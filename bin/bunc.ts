#!/usr/bin/env bun
import { end } from "../src/cli/end.ts";
import { main } from "../src/cli/main.ts";

main(process.argv.slice(2)).then(end);
