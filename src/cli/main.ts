#!/usr/bin/env bun
import { existsSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dir, "..", "..")
const built = join(root, "dist", "cli.js")
// A package has its command line as one file, which starts sooner (scripts/build-cli.ts). A clone runs its sources, whatever was built of them.
if (!existsSync(join(root, "scripts")) && existsSync(built)) await import(built)
else await import("./start.ts")
