import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { compareText } from "../../../src/record/order.ts"
import type { ContainerName, Line, TranscriptAgent } from "../../../src/root/transcript/agent.ts"
import { parseLine } from "../../../src/root/transcript/parse-line.ts"
import type { History } from "../../../src/testing/index.ts"
import { type PlainSession, plainLines, plainSessions } from "./plain-parse.ts"

interface PlaceFile {
  readonly path: string
  readonly name: ContainerName
  readonly bytes: Buffer
}

interface PlaceContainer {
  readonly folder: string
  readonly name: string
  readonly files: PlaceFile[]
}

/** When a file was written last, ms since 1970. */
export function modifiedTime(path: string): number {
  return Number(lstatSync(path, { bigint: true }).mtimeNs / 1_000_000n)
}

/** Every session of a place, by reading every file of it anew and in whole: the measure of the root that follows them. */
export function plainPlace(
  agent: TranscriptAgent,
  place: string,
  modifiedOf: (path: string) => number = modifiedTime,
): PlainSession[] {
  const all = containersIn(agent, place)
  const sides = {
    text(path: string): string | undefined {
      try {
        return readFileSync(join(place, path), "utf8")
      } catch {
        return undefined
      }
    },
  }
  const newest = new Map<string, PlainSession>()
  for (const container of all) {
    const last = container.files.at(-1)
    if (!last) continue
    const lines = linesOf(agent, all, container).flatMap((of, file) =>
      of.map(({ value, span: [, offset, length] }): Line => ({ value, span: [file, offset, length] })),
    )
    const modified = Math.max(...container.files.map(({ path }) => modifiedOf(path)))
    const own = new Set<unknown>()
    const idOf = idsOf(container)
    for (const session of plainSessions(agent, last.name, lines, { sides, modified, idOf })) {
      const { id } = session.info
      const known = newest.get(String(id))
      // Of one container the first counts, of several that of the newest copy; among equals the last by folder and name.
      if (own.has(id) || (known && updated(session) < updated(known))) continue
      own.add(id)
      newest.set(String(id), session)
    }
  }
  return [...newest.values()]
}

/** A session that is told to lie in files whose names begin with another id is not looked for in these: it gets an id of theirs. */
function idsOf({ files }: PlaceContainer): (id: string) => string {
  const prefixes = files.flatMap(({ name }) => name.prefixes ?? [name.session ?? ""])
  return (id) => (prefixes.some((prefix) => id.startsWith(prefix)) ? id : `${prefixes[0]}-${id}`)
}

/** By folder and name. */
function containersIn(agent: TranscriptAgent, place: string): PlaceContainer[] {
  const containers = new Map<string, PlaceContainer>()
  const paths = readdirSync(place, { recursive: true, encoding: "utf8" })
    .filter((path) => agent.folders.some((folder) => folder === "" || path.startsWith(`${folder}/`)))
    .filter((path) => lstatSync(join(place, path)).isFile())
  for (const path of paths) {
    const isCompressed = path.endsWith(".zst")
    const plain = isCompressed ? path.slice(0, -4) : path
    if (isCompressed && paths.includes(plain)) continue
    const name = agent.container(plain)
    if (!name) continue
    const read = readFileSync(join(place, path))
    const bytes = isCompressed ? Buffer.from(Bun.zstdDecompressSync(read)) : read
    const folder = dirname(path)
    const key = `${folder}/${name.name}`
    const container = containers.get(key) ?? { folder, name: name.name, files: [] }
    container.files.push({ path: join(place, path), name, bytes })
    container.files.sort((a, b) => a.name.rank - b.name.rank)
    containers.set(key, container)
  }
  return [...containers.values()].sort(
    (a, b) => compareText(a.folder, b.folder) || compareText(a.name, b.name),
  )
}

/** The lines of each of a container's files, behind those of the parts of others that it goes on from. */
function linesOf(
  agent: TranscriptAgent,
  all: readonly PlaceContainer[],
  container: PlaceContainer,
  until?: number,
  seen: readonly PlaceContainer[] = [],
): Line[][] {
  const files = until === undefined ? container.files : container.files.slice(-1)
  const own = files.map(({ name, bytes }) => plainLines(bytes.subarray(0, until), name.form))
  const first = firstValue(container.files[0])
  const base = first === undefined ? undefined : agent.base?.(first)
  const from = base && all.findLast(({ files: [file] }) => file?.name.session === base.session)
  const before = [...seen, container]
  if (!base || !from || before.includes(from)) return own
  return [...linesOf(agent, all, from, base.bytes, before), ...own]
}

/** What a file's first line says, where that is whole. */
function firstValue(file: PlaceFile | undefined): unknown {
  if (!file) return undefined
  const end = file.bytes.indexOf(10)
  const { values, fault } = parseLine(end < 0 ? file.bytes : file.bytes.subarray(0, end))
  return end < 0 && fault !== undefined ? undefined : values[0]?.value
}

function updated({ info }: PlainSession): number {
  return Number((info.time as { updated: number }).updated)
}

/** The same as what a root is to hold. */
export function historyOfPlace(agent: TranscriptAgent, place: string): History {
  const sessions = plainPlace(agent, place)
  const projects = sessions.map(({ info }) => ({
    id: String(info.projectID),
    worktree: info.directory ?? "/",
  }))
  return {
    plain: { project: Object.fromEntries(projects.map((project) => [project.id, project])) },
    sessions: sessions.map(({ info }) => ({
      folder: String(info.projectID),
      id: String(info.id),
      body: info,
    })),
    messages: sessions.flatMap(({ info: session, messages }) =>
      messages.map(({ info }) => ({ folder: String(session.id), id: String(info.id), body: info })),
    ),
    parts: sessions.flatMap(({ messages }) =>
      messages.flatMap(({ info, parts }) =>
        parts.map((body) => ({ folder: String(info.id), id: String(body.id), body })),
      ),
    ),
  }
}
