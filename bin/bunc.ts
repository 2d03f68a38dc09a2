#!/usr/bin/env bun
import { end } from "../src/cli/end.ts";
import { main } from "../src/cli/main.ts";

const status = main(process.argv.slice(2));
if (typeof status === "number") end(status);
else status.then(end);
