import { posix, win32 } from "node:path"
import { systemCode } from "../errors.ts"
import { fileSystem } from "../file/system.ts"
import { isStore } from "../root/json/store-folder.ts"
import type { TranscriptAgent } from "../root/transcript/agent.ts"
import type { AgentName } from "../root/transcript/agents.ts"
import { dataFolder } from "./data-folder.ts"
import type { Source, SourceName } from "./source.ts"

/** Whose histories to look for: nothing is taken from the process itself. */
export interface Home {
  /** The environment that the agents run in, as `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The person's home folder, as `os.homedir()` gives it. */
  readonly home: string
  /** By default that of this process. */
  readonly platform?: NodeJS.Platform | undefined
}

/** Where an agent's history lies, or would. */
export interface FoundSource extends Source {
  /** Whether there is one. What cannot be looked at is taken to be one: reading it tells why it cannot be read. */
  readonly found: boolean
}

/**
 * Where the histories of a home lie, by the agents' own environment variables and defaults: opencode's data folder, then those of Claude Code,
 * Codex and Gemini CLI. Each agent is named at least once, also where it has none. Looks at a few folders, and reads nothing.
 */
export function findSources(home: Home): FoundSource[] {
  const { environment } = home
  const place = opencodeFolder(home)
  // Of a database in memory there is nothing to read.
  const named = environment.OPENCODE_DB === ":memory:" ? undefined : environment.OPENCODE_DB || undefined
  const database = named === undefined ? undefined : pathOf(home).resolve(place, named)
  const opencode: FoundSource = {
    name: "opencode",
    place,
    ...(database !== undefined && { database }),
    found: dataFolder(fileSystem, place, database) !== undefined,
  }
  return [opencode, ...agents().flatMap(([name, agent]) => transcriptsOf(name, agent, home))]
}

/**
 * The folder that this home's own store is in: `$XDG_DATA_HOME/sessiondex`, by default below `~/.local/share`, on Windows below
 * `%LOCALAPPDATA%`. Where there is none yet and opencode keeps JSON files, these are the store, and its data folder is given.
 */
export function findStore(home: Home): string {
  const own = ownFolder(home)
  if (isStore(fileSystem, own)) return own
  const opencode = opencodeFolder(home)
  return dataFolder(fileSystem, opencode)?.hasStorage ? opencode : own
}

/** The store of this home that no agent writes to, there or not; as `findStore`. */
export function ownFolder(home: Home): string {
  const { environment, platform = process.platform } = home
  const local = platform === "win32" ? environment.LOCALAPPDATA : undefined
  return pathOf(home).join(environment.XDG_DATA_HOME || local || dataHome(home), "sessiondex")
}

/** The agent whose folder this is, by its name or by a transcript in it; `undefined` for a store, and for anything else. */
export function sourceAt(folder: string): SourceName | undefined {
  if (isStore(fileSystem, folder)) return undefined
  const name = /[^/\\]*$/.exec(folder.replace(/[/\\]+$/, ""))?.[0] ?? ""
  const among = agents().filter(([, agent]) => agent.folders.some((below) => isFolder(`${folder}/${below}`)))
  const named = among.find(([, agent]) =>
    agent.places({}, "").some((place) => place.endsWith(`/${name}`) && name.startsWith(".")),
  )
  return (named ?? among.find(([, agent]) => hasTranscript(agent, folder)))?.[0]
}

/** The names of all agents whose histories can be read. */
export function sourceNames(): SourceName[] {
  return ["opencode", ...agents().map(([name]) => name)]
}

/** All places of an agent that hold transcripts; where none does the first that it would use. */
function transcriptsOf(name: AgentName, agent: TranscriptAgent, home: Home): FoundSource[] {
  const path = pathOf(home)
  const all = agent.places(home.environment, home.home).map((place) => ({
    name,
    place: path.resolve(place),
    found: agent.folders.some((folder) => isFolder(path.join(place, folder))),
  }))
  const found = all.filter(({ found }) => found)
  return found.length > 0 ? found : all.slice(0, 1)
}

/** opencode takes the same folder on every system. */
function opencodeFolder(home: Home): string {
  return pathOf(home).join(home.environment.XDG_DATA_HOME || dataHome(home), "opencode")
}

function dataHome(home: Home): string {
  return pathOf(home).join(home.home, ".local", "share")
}

function pathOf({ platform = process.platform }: Home): typeof posix {
  return platform === "win32" ? win32 : posix
}

/** Agents are loaded when they are looked for. */
function agents(): [AgentName, TranscriptAgent][] {
  const { AGENTS }: typeof import("../root/transcript/agents.ts") = require("../root/transcript/agents.ts")
  return Object.entries(AGENTS) as [AgentName, TranscriptAgent][]
}

function isFolder(path: string): boolean {
  try {
    return fileSystem.stat(path)?.kind === "directory"
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return true
  }
}

/** A folder that is none of an agent's may hold anything: so many folders in it are looked into. */
const MOST_FOLDERS = 256

function hasTranscript(agent: TranscriptAgent, place: string): boolean {
  const waiting = [...agent.folders]
  for (let looked = 0; looked < MOST_FOLDERS; looked++) {
    const folder = waiting.pop()
    if (folder === undefined) return false
    for (const { name, kind } of entriesOf(`${place}/${folder}`)) {
      const below = folder === "" ? name : `${folder}/${name}`
      if (kind === "directory") waiting.push(below)
      else if (kind === "file" && agent.container(below.replace(/\.zst$/, ""))) return true
    }
  }
  return false
}

function entriesOf(path: string) {
  try {
    return fileSystem.readDirectory(path) ?? []
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return []
  }
}
