import * as fs from "node:fs"
import { join } from "node:path"
import type { Store } from "../../src/index.ts"
import { lookAt, lookAtTexts, type Searchable, type Truth } from "./oracle.ts"
import type { Random } from "./random.ts"

export const PROJECTS = ["a", "b", "c"] as const
export const SESSIONS = ["ses_1", "ses_2", "ses_3", "ses_4"] as const
const MESSAGES = ["msg_1", "msg_2", "msg_3", "msg_4", "msg_5"] as const
const PARTS = ["prt_1", "prt_2"] as const
/** Of one length, and sharing much: what a change leaves of a title or a text must not be lost, nor what it takes be found. */
const WORDS = ["pars", "Pars", "arse", "rser", "fixp", "ixpa"] as const
const ODD_WORDS = ["漢字 a\u0301pa", "🙂pars", "par\u0000ser", "É\u0301ars", "a", "\ufeffparse"] as const

/** A small store that this process's store and "another program" change in turn. */
export class World {
  readonly #directory: string
  readonly #random: Random
  readonly #torn: boolean
  /** Foreign changes made so far, the last ones in words. */
  changes = 0
  readonly log: string[] = []

  /** @param torn whether files may be left torn; the store waits for such files to become whole, unless it knows that they are old */
  constructor(directory: string, random: Random, torn: boolean) {
    this.#directory = directory
    this.#random = random
    this.#torn = torn
  }

  truth(): Truth {
    return lookAt(this.#directory, SESSIONS, PROJECTS)
  }

  /** What there is to be found. */
  searchable(): Searchable {
    return lookAtTexts(this.#directory)
  }

  /** Two or three words for a title or a part. */
  words(): string {
    const random = this.#random
    const word = (): string => random.pick(random.chance(0.1) ? ODD_WORDS : WORDS)
    const two = word() + random.pick([" ", ":", ""]) + word()
    return random.chance(0.2) ? `${two} ${word()}` : two
  }

  /** A body of a session, a message or a part; times of one digit keep many bodies of the same size. */
  body(): Record<string, unknown> {
    const random = this.#random
    const body: Record<string, unknown> = {
      time: { created: random.below(9), updated: random.below(9) },
      text: String(random.below(9)),
      role: "user",
    }
    if (random.chance(0.3)) body.parentID = random.pick(SESSIONS)
    if (random.chance(0.8)) body.title = this.words()
    return body
  }

  /** A part has more to be found than a digit. */
  #bodyOf(kind: string | undefined): Record<string, unknown> {
    return kind === "part" ? { type: "text", text: this.words() } : this.body()
  }

  #key(): [kind: string, owner: string, id: string] {
    const random = this.#random
    const kind = random.below(10)
    if (kind < 4) return ["session", random.pick(PROJECTS), random.pick(SESSIONS)]
    if (kind < 8) return ["message", random.pick(SESSIONS), random.pick(MESSAGES)]
    return ["part", random.pick(MESSAGES), random.pick(PARTS)]
  }

  #path(): string {
    return `${join(this.#directory, ...this.#key())}.json`
  }

  #folder(): string {
    const [kind, owner] = this.#key()
    return join(this.#directory, kind, owner)
  }

  /** One change as another program makes it. */
  foreignChange(): void {
    const random = this.#random
    const all = [...CHANGES, ...CHANGES.slice(0, 3), ...CHANGES.slice(0, 2)]
    const kinds = this.#torn ? all : all.filter(([name]) => !TEARING.has(name))
    const [name, change] = random.pick(kinds)
    const path = this.#path()
    const text = this.#text(path.slice(this.#directory.length + 1).split("/")[0])
    this.changes++
    this.log.push(`foreign ${name} ${path.slice(this.#directory.length + 1)}`)
    try {
      change({
        path,
        other: this.#path(),
        folder: this.#folder(),
        otherFolder: this.#folder(),
        text,
        random,
      })
    } catch {
      // What it wished to change was not there, or something else was: as good as no change.
    }
  }

  #text(kind: string | undefined): string {
    const text = JSON.stringify(this.#bodyOf(kind))
    if (!this.#torn) return text
    return this.#random.chance(0.1) ? text.slice(0, -5) : this.#random.chance(0.05) ? "" : text
  }

  /** One call of our own that changes something. */
  async ownChange(store: Store): Promise<void> {
    const random = this.#random
    const key = this.#key()
    const [kind, , id] = key
    const session = random.pick(SESSIONS)
    const [name, change] = random.pick<readonly [string, () => Promise<unknown>]>([
      ...Array(5).fill(["write", () => store.write(key, this.#bodyOf(kind))]),
      ...Array(3).fill(["update", () => store.update(key, () => this.#bodyOf(kind))]),
      ["remove", () => store.remove(key)],
      [
        "remove with what belongs to it",
        async () => {
          if (kind === "message") await store.messages.remove(id)
          else if (random.chance(0.3)) await store.sessions.remove(session)
        },
      ],
      [`rename ${session}`, () => store.sessions.update(session, (old) => ({ ...old, title: this.words() }))],
      [
        `archive ${session}`,
        () =>
          store.sessions.update(session, ({ time, ...old }) => {
            // Anything may lie there.
            const { archived, ...times } = { ...(time as typeof time | undefined) } as typeof time
            return { ...old, time: archived ? times : { ...times, archived: 1 } }
          }),
      ],
      [`move ${session}`, () => store.sessions.move(session, random.pick(PROJECTS))],
    ])
    this.log.push(`own ${name} ${key.join("/")}`)
    try {
      await change()
    } catch (error) {
      if (!(error instanceof Error && error.name === "StoreError")) throw error
    }
  }
}

interface ChangeInput {
  readonly path: string
  readonly other: string
  readonly folder: string
  readonly otherFolder: string
  readonly text: string
  readonly random: Random
}

function inFolder(path: string): string {
  fs.mkdirSync(join(path, ".."), { recursive: true })
  return path
}

/** Changes that may leave a file that does not parse. */
const TEARING = new Set(["overwrite in place", "truncate"])

const CHANGES: readonly (readonly [string, (input: ChangeInput) => void])[] = [
  ["overwrite in place", ({ path, text }) => fs.writeFileSync(path, text, { flag: "r+" })],
  ["write", ({ path, text }) => fs.writeFileSync(inFolder(path), text)],
  [
    "replace",
    ({ path, text }) => {
      fs.writeFileSync(`${inFolder(path)}.tmp`, text)
      fs.renameSync(`${path}.tmp`, path)
    },
  ],
  ["truncate", ({ path, random }) => fs.truncateSync(path, random.below(3))],
  ["rename", ({ path, other }) => fs.renameSync(path, inFolder(other))],
  ["rename a folder", ({ folder, otherFolder }) => fs.renameSync(folder, otherFolder)],
  ["delete", ({ path }) => fs.rmSync(path, { recursive: true })],
  ["delete a folder", ({ folder, random }) => random.chance(0.3) && fs.rmSync(folder, { recursive: true })],
  [
    "restore with old times",
    ({ path, text }) => {
      fs.writeFileSync(inFolder(path), text)
      fs.utimesSync(path, 1_000_000, 1_000_000)
    },
  ],
  [
    "copy with its times",
    ({ path, other }) => {
      const { atime, mtime } = fs.statSync(path)
      fs.copyFileSync(path, inFolder(other))
      fs.utimesSync(other, atime, mtime)
    },
  ],
  [
    "write with future times",
    ({ path, text }) => {
      fs.writeFileSync(inFolder(path), text)
      fs.utimesSync(path, 4_000_000_000, 4_000_000_000)
    },
  ],
  [
    "put a link in its place",
    ({ path, other }) => {
      fs.rmSync(path, { force: true, recursive: true })
      fs.symlinkSync(other, inFolder(path))
    },
  ],
  [
    "put a folder in its place",
    ({ path }) => {
      fs.rmSync(path, { force: true, recursive: true })
      fs.mkdirSync(path, { recursive: true })
    },
  ],
  ["touch the folder", ({ folder, random }) => fs.utimesSync(folder, random.below(9), random.below(9))],
  ["chmod", ({ path, random }) => fs.chmodSync(path, random.pick([0o000, 0o600]))],
]

/** What the store says, in the form of the oracle. */
export async function answers(store: Store): Promise<Truth> {
  const place = ({ id, projectID }: { id: string; projectID?: string }): string => `${projectID}/${id}`
  const messages: Record<string, string[]> = {}
  const counts: Record<string, number> = {}
  for (const session of SESSIONS) {
    messages[session] = await listMessages(store, session)
    counts[session] = await store.messages.count(session)
  }
  const projects: Record<string, string[]> = {}
  for (const projectID of PROJECTS)
    projects[projectID] = await Array.fromAsync(store.sessions.ids({ projectID }))
  return {
    sessions: (await Array.fromAsync(store.sessions.list())).map(place),
    byCreation: (await Array.fromAsync(store.sessions.list({ order: "created", direction: "asc" }))).map(
      place,
    ),
    projects,
    roots: await store.sessions.count({ parentID: null }),
    parsers: await store.sessions.count({ search: "pars" }),
    messages,
    counts,
  }
}

export async function listMessages(store: Store, session: string): Promise<string[]> {
  const bodies = await Array.fromAsync(store.messages.list(session))
  return bodies.map(({ id, text }) => `${id} ${String((text as unknown) ?? undefined)}`)
}
