import { afterEach } from "bun:test"
import { removeTempFolders } from "./temp.ts"

// Preloaded by bunfig.toml: a hook that a module sets up counts only for the first test file that imports it.
afterEach(removeTempFolders)
