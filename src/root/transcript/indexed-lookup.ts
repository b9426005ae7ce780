import type { Statements } from "../../database/statements.ts"
import type { JsonObject } from "../../record/extract.ts"
import { isJsonObject } from "../../record/extract.ts"
import { sortTexts } from "../../record/order.ts"
import type { Problem } from "../problem-log.ts"
import type { FileMark } from "./follow.ts"
import { placeOfText } from "./held.ts"
import type { LocatedMessage, Lookup } from "./lookup.ts"
import { sessionOfMessage } from "./record-bodies.ts"
import { SeenSessions } from "./seen-sessions.ts"
import type { Settled } from "./settled.ts"

/** SQLite's "no limit". */
const ALL = -1

/** Finds records through the index, after making sure that their rows equal their files. */
export class IndexedLookup implements Lookup {
  readonly #settled: Settled
  readonly #seen: SeenSessions

  constructor(settled: Settled) {
    this.#settled = settled
    this.#seen = new SeenSessions(settled)
  }

  async folders(kind: "session" | "message"): Promise<readonly string[]> {
    await this.#settled.all()
    return this.#read((statements) => {
      const names = statements.directories.names(kind, "", ALL)
      return names.filter((name) => rowIds(statements, kind, name, 1).length > 0)
    })
  }

  async ids(kind: "session" | "message", folder: string): Promise<readonly string[]> {
    const find = (statements: Statements): string[] => rowIds(statements, kind, folder, ALL)
    if (kind === "message") return this.#settled.of(folder, find)
    await this.#settled.all()
    return this.#read(find)
  }

  async foldersOf(kind: "session" | "message", id: string, question?: object): Promise<readonly string[]> {
    const seen = kind === "session" && question && (await this.#seen.find(id, question))
    if (seen) return [seen.project]
    const find = (statements: Statements): string[] => statements[kind].folders(id)
    const session = kind === "session" ? id : sessionOfMessage(id)
    const still = session === undefined ? undefined : await this.#settled.ifStill(session, find)
    if (still && still.said.length > 0) return sortTexts(still.said)
    const before = await this.#read(find)
    // Its own files tell whether it is still there; only all files tell that it is nowhere.
    for (const folder of before) await this.#settled.session(kind === "session" ? id : folder, question)
    const now = before.length > 0 ? await this.#read(find) : []
    if (now.length > 0) return sortTexts(now)
    await (session === undefined ? this.#settled.all() : this.#settled.holding([session]))
    return sortTexts(await this.#read(find))
  }

  async sessions(
    project: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]> {
    const [only = "", ...more] = ids
    const seen = more.length === 0 && question && (await this.#seen.find(only, question))
    if (seen && seen.project === project) return [bodyOf(seen.body)]
    const find = (statements: Statements): Map<string, string> => {
      const directory = statements.directories.find({ kind: "session", folder: project })
      return directory ? statements.transcripts.bodies(directory.id, ids) : new Map()
    }
    for (const id of more) await this.#settled.session(id, question)
    const bodies = await this.#settled.of(only, find, question)
    return ids.map((id) => bodyOf(bodies.get(id)))
  }

  async messages(
    session: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (LocatedMessage | undefined)[]> {
    const find = ({ directories, transcripts }: Statements) => {
      const directory = directories.find({ kind: "message", folder: session })
      const places = directory ? transcripts.places.of(directory.id, ids) : []
      const containers = new Set(places.map(({ container }) => container))
      const marks = new Map([...containers].map((row) => [row, transcripts.container(row)?.marks]))
      return { places: new Map(places.map((place) => [place.id, place])), marks }
    }
    const { places, marks } = await this.#settled.of(session, find, question)
    const files = new Map(
      [...marks].map(([row, text]) => [row, text === undefined ? [] : (JSON.parse(text) as FileMark[])]),
    )
    return ids.map((id) => {
      const place = places.get(id)
      const message = place && placeOfText(id, place.place)
      const of = place && files.get(place.container)
      return message && of ? { message, files: of } : undefined
    })
  }

  refused(): readonly Problem[] {
    return this.#settled.refused
  }

  #read<T>(work: (statements: Statements) => T): Promise<T> {
    return this.#settled.read(work)
  }
}

function bodyOf(text: string | undefined): JsonObject | undefined {
  const body: unknown = text === undefined ? undefined : JSON.parse(text)
  return isJsonObject(body) ? body : undefined
}

function rowIds(
  statements: Statements,
  kind: "session" | "message",
  folder: string,
  limit: number,
): string[] {
  const row = statements.directories.find({ kind, folder })
  return row ? statements[kind].stamps(row.id, "", limit).map(({ id }) => id) : []
}
