import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { ContainerName, Line, TranscriptAgent } from "../../../src/root/transcript/agent.ts"
import type { History } from "../../../src/testing/index.ts"
import { type PlainSession, plainLines, plainSessions } from "./plain-parse.ts"

interface PlaceFile {
  readonly path: string
  readonly name: ContainerName
  readonly bytes: Buffer
}

/** Every session of a place, by reading every file of it anew and in whole: the measure of the root that follows them. */
export function plainPlace(agent: TranscriptAgent, place: string): PlainSession[] {
  const containers = new Map<string, PlaceFile[]>()
  const paths = readdirSync(place, { recursive: true, encoding: "utf8" })
    .filter((path) => agent.folders.some((folder) => folder === "" || path.startsWith(`${folder}/`)))
    .filter((path) => lstatSync(join(place, path)).isFile())
  for (const path of paths.sort()) {
    const isCompressed = path.endsWith(".zst")
    const plain = isCompressed ? path.slice(0, -4) : path
    if (isCompressed && paths.includes(plain)) continue
    const name = agent.container(plain)
    if (!name) continue
    const read = readFileSync(join(place, path))
    const bytes = isCompressed ? Buffer.from(Bun.zstdDecompressSync(read)) : read
    const key = `${dirname(path)}/${name.name}`
    containers.set(key, [...(containers.get(key) ?? []), { path: join(place, path), name, bytes }])
  }
  const all = [...containers.values()].map((files) => files.sort((a, b) => a.name.rank - b.name.rank))
  const linesOf = (files: readonly PlaceFile[], until?: number, seen: readonly unknown[] = []): Line[][] => {
    const own = files.map(({ name, bytes }) => plainLines(bytes.subarray(0, until), name.form))
    const first = own[0]?.[0]?.value
    const base = agent.base?.(first)
    const from = base && all.find(([file]) => file?.name.session === base.session)
    if (!base || !from || seen.includes(from)) return own
    return [...linesOf(from, base.bytes, [...seen, files, from]), ...own]
  }
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
  for (const files of all) {
    const last = files.at(-1)
    if (!last) continue
    const lines = linesOf(files).flatMap((of, file) =>
      of.map(({ value, span: [, offset, length] }): Line => ({ value, span: [file, offset, length] })),
    )
    const modified = Math.max(...files.map(({ path }) => Math.floor(lstatSync(path).mtimeMs)))
    for (const session of plainSessions(agent, last.name, lines, { sides, modified })) {
      const known = newest.get(String(session.info.id))
      if (!known || updated(session) >= updated(known)) newest.set(String(session.info.id), session)
    }
  }
  return [...newest.values()]
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
