import type { Statements } from "../../database/statements.ts"
import type { JsonObject } from "../../record/extract.ts"
import { isJsonObject } from "../../record/extract.ts"
import { sortTexts } from "../../record/order.ts"
import type { Problem } from "../problem-log.ts"
import type { FileMark } from "./follow.ts"
import { placeOfText } from "./held.ts"
import type { LocatedMessage, Lookup } from "./lookup.ts"
import { sessionOfMessage } from "./record-bodies.ts"
import type { Settled } from "./settled.ts"

/** SQLite's "no limit". */
const ALL = -1

/** Finds records by the index, after making sure that the rows concerned equal their files. */
export class IndexedLookup implements Lookup {
  readonly #settled: Settled

  constructor(settled: Settled) {
    this.#settled = settled
  }

  async folders(kind: "session" | "message"): Promise<readonly string[]> {
    await this.#settled.all()
    return this.#read((statements) => {
      const names = statements.directories.names(kind, "", ALL)
      return names.filter((name) => rowIds(statements, kind, name, 1).length > 0)
    })
  }

  async ids(kind: "session" | "message", folder: string): Promise<readonly string[]> {
    await (kind === "session" ? this.#settled.all() : this.#settled.session(folder))
    return this.#read((statements) => rowIds(statements, kind, folder, ALL))
  }

  async foldersOf(kind: "session" | "message", id: string, question?: object): Promise<readonly string[]> {
    const find = (): Promise<string[]> => this.#read((statements) => statements[kind].folders(id))
    const before = await find()
    // Whether it still lies where it was is told by the few files concerned; that it lies nowhere, by all of them.
    for (const folder of before) await this.#settled.session(kind === "session" ? id : folder, question)
    const now = before.length > 0 ? await find() : []
    if (now.length > 0) return sortTexts(now)
    const session = kind === "session" ? id : sessionOfMessage(id)
    await (session === undefined ? this.#settled.all() : this.#settled.holding([session]))
    return sortTexts(await find())
  }

  async sessions(
    project: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]> {
    for (const id of ids) await this.#settled.session(id, question)
    const bodies = await this.#read((statements) => {
      const directory = statements.directories.find({ kind: "session", folder: project })
      return directory ? statements.transcripts.bodies(directory.id, ids) : new Map<string, string>()
    })
    return ids.map((id) => {
      const text = bodies.get(id)
      const body: unknown = text === undefined ? undefined : JSON.parse(text)
      return isJsonObject(body) ? body : undefined
    })
  }

  async messages(
    session: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (LocatedMessage | undefined)[]> {
    await this.#settled.session(session, question)
    const { places, marks } = await this.#read(({ directories, transcripts }) => {
      const directory = directories.find({ kind: "message", folder: session })
      const places = directory ? transcripts.places.of(directory.id, ids) : []
      const containers = new Set(places.map(({ container }) => container))
      const marks = new Map([...containers].map((row) => [row, transcripts.container(row)?.marks]))
      return { places: new Map(places.map((place) => [place.id, place])), marks }
    })
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

function rowIds(
  statements: Statements,
  kind: "session" | "message",
  folder: string,
  limit: number,
): string[] {
  const row = statements.directories.find({ kind, folder })
  return row ? statements[kind].stamps(row.id, "", limit).map(({ id }) => id) : []
}
