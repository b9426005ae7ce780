import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { createHandler } from "../../src/http/index.ts"
import { isStoreError, type Problem, type SearchEnd } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** One kind of call that the system refuses, at or below one path of the store; by default it refuses it everywhere. */
interface Refusal {
  readonly call: "open" | "list" | "look"
  readonly errno: "EMFILE" | "ENFILE" | "EACCES" | "EIO"
  readonly at: string
}

class RefusingFileSystem {
  readonly #directory: string
  refusal: Refusal | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  #check(call: Refusal["call"], path: string): void {
    const { refusal } = this
    if (refusal?.call !== call) return
    const at = join(this.#directory, refusal.at)
    if (path !== at && !path.startsWith(at.endsWith("/") ? at : `${at}/`)) return
    const error = new Error(`${refusal.errno}: refused, ${call} ${path}`)
    throw Object.assign(error, { code: refusal.errno, path })
  }

  #before<Rest extends unknown[], T>(call: Refusal["call"], run: (path: string, ...rest: Rest) => T) {
    return (path: string, ...rest: Rest): T => {
      this.#check(call, path)
      return run(path, ...rest)
    }
  }

  readonly fs: FileSystem = {
    ...fileSystem,
    openFile: this.#before("open", fileSystem.openFile),
    readPieces: this.#before("open", fileSystem.readPieces),
    readNames: this.#before("list", fileSystem.readNames),
    readDirectory: this.#before("list", fileSystem.readDirectory),
    stat: this.#before("look", fileSystem.stat),
    lstat: this.#before("look", fileSystem.lstat),
  }
}

function makeStore(): string {
  const directory = tempFolder()
  put(directory, "project/a.json", { id: "a", worktree: "/a", time: { created: 1 } })
  put(directory, "session/a/ses_1.json", session("ses_1", { projectID: "a", title: "needle one" }))
  put(directory, "session/b/ses_2.json", session("ses_2", { projectID: "b", parentID: "ses_1" }))
  const tokens = { input: 1, output: 1, reasoning: 0, cache: { read: 0, write: 0 } }
  for (const at of [1, 2]) {
    const role = { role: "assistant" as const, tokens: { ...tokens, input: 9 } }
    put(directory, `message/ses_${at}/msg_${at}.json`, message(`msg_${at}`, `ses_${at}`, at, role))
    put(directory, `part/msg_${at}/prt_${at}.json`, part(`prt_${at}`, `msg_${at}`, "needle"))
    for (const step of ["x", "y"])
      put(directory, `part/msg_${at}/prt_${at}${step}.json`, { type: "step-finish", tokens, cost: 1 })
    put(directory, `todo/ses_${at}.json`, [{ content: "x", status: "open" }])
  }
  // A copied session's message, whose parts are those of the first.
  put(directory, "message/ses_2/msg_1.json", message("msg_1", "ses_2", 5))
  return directory
}

async function drained<T, End>(items: AsyncGenerator<T, End>): Promise<{ found: T[]; end: End }> {
  const found: T[] = []
  for (let next = await items.next(); ; next = await items.next()) {
    if (next.done) return { found, end: next.value }
    found.push(next.value)
  }
}

/** Hits of a search that waits long for the index come in another order. */
function inAnyOrder(hits: readonly unknown[]): string[] {
  return hits.map((hit) => JSON.stringify(hit)).sort()
}

async function answer(store: Store, path: string, tell: Tell): Promise<{ status: number; body: unknown }> {
  let told: unknown
  const onError = (error: unknown): void => {
    told = error
    tell(error)
  }
  const request = new Request(`http://localhost${path}`)
  const response = await createHandler(store, { page: false, onError })(request)
  try {
    const { status } = response
    const body: unknown = await response.json()
    if (status !== 503 && status !== 500) return { status, body }
    throw Object.assign(new Error(`Status ${status}`), body)
  } catch (error) {
    // A list that is cut off has no end: the client cannot take it for a whole one.
    throw told ?? error
  }
}

/** What a server's log is told. */
type Tell = (error: unknown) => void
type Question = (store: Store, tell: Tell) => Promise<unknown>

/** What a store is asked: every answer must be the right one, an error that says why not, or one whose gaps are told of. */
const READS: Record<string, Question> = {
  "sessions.list": (store) => all(store.sessions.list()),
  "sessions.page": async (store) => (await store.sessions.page()).items,
  "sessions.ids": (store) => all(store.sessions.ids({ projectID: "a" })),
  "sessions.children": (store) => all(store.sessions.children("ses_1")),
  "sessions.count": (store) => store.sessions.count(),
  "sessions.count of some": (store) => store.sessions.count({ parentID: null }),
  "sessions.get": (store) => store.sessions.get("ses_1"),
  "sessions.get by key": (store) => store.sessions.get(["session", "b", "ses_2"]),
  "sessions.origin": async (store) => (await store.sessions.origin("ses_2")) !== undefined,
  "sessions.keyOf": (store) => store.sessions.keyOf("ses_2"),
  "messages.list": (store) => all(store.messages.list("ses_1")),
  "messages.stream": (store) => all(store.messages.stream("ses_1")),
  "messages.page": async (store) => (await store.messages.page("ses_1")).items,
  "messages.page from": async (store) => (await store.messages.page("ses_1", { from: "msg_1" })).items,
  "messages.count": (store) => store.messages.count("ses_1"),
  "messages.get": (store) => store.messages.get("msg_2"),
  "parts.list": (store) => all(store.parts.list("msg_1")),
  "parts.ids": (store) => all(store.parts.ids("msg_1")),
  "parts.count": (store) => store.parts.count("msg_1"),
  "parts.get": (store) => store.parts.get("prt_2"),
  "projects.list": (store) => all(store.projects.list()),
  "projects.ids": (store) => all(store.projects.ids()),
  "projects.get": (store) => store.projects.get("a"),
  read: (store) => store.read(["todo", "ses_1"]),
  readText: async (store) => (await all(store.readText(["todo", "ses_1"]))).join(""),
  keys: (store) => all(store.keys()),
  "keys of messages": (store) => all(store.keys(["message"])),
  count: (store) => store.count(["part"]),
  search: async (store) => {
    const { found, end } = await drained<{ kind: string }, SearchEnd>(store.search("needle"))
    return { found: inAnyOrder(found.map(({ kind }) => kind)), end }
  },
  "search of a project": async (store) => inAnyOrder(await all(store.search("needle", { projectID: "a" }))),
  export: async (store) => {
    const { found, end } = await drained(store.export("ses_1"))
    return end.left.length > 0 ? { left: end.left } : found.join("")
  },
  orphans: (store) => all(store.orphans()),
  usage: (store) => store.usage({ timeZone: "UTC" }),
  stats: async (store) => {
    const { kinds, projects } = await store.stats()
    return { kinds, projects }
  },
  "http sessions": (store, tell) => answer(store, "/session", tell),
  "http page of sessions": (store, tell) => answer(store, "/session?limit=5", tell),
  "http session": (store, tell) => answer(store, "/session/ses_1", tell),
  "http children": (store, tell) => answer(store, "/session/ses_1/children", tell),
  "http messages": (store, tell) => answer(store, "/session/ses_1/message", tell),
  "http page of messages": (store, tell) => answer(store, "/session/ses_1/message?limit=5", tell),
  "http message": (store, tell) => answer(store, "/session/ses_1/message/msg_1", tell),
  "http parts": (store, tell) => answer(store, "/session/ses_1/message/msg_1/part", tell),
  "http part": (store, tell) => answer(store, "/session/ses_1/message/msg_1/part/prt_1", tell),
  "http todo": (store, tell) => answer(store, "/session/ses_1/todo", tell),
  "http projects": (store, tell) => answer(store, "/project", tell),
  "http search": async (store, tell) => {
    const { status, body } = await answer(store, "/search?q=needle", tell)
    return { status, body: Array.isArray(body) ? inAnyOrder(body) : body }
  },
  "http usage": (store, tell) => answer(store, "/usage", tell),
}

const EVERYWHERE = ""
const PLACES = [
  EVERYWHERE,
  "session",
  "session/a",
  "session/a/ses_1.json",
  "session/b",
  "message",
  "message/ses_1",
  "message/ses_1/msg_1.json",
  "part",
  "part/msg_1",
  "part/msg_1/prt_1.json",
  "project",
  "todo",
]

function* refusals(): Generator<Refusal> {
  for (const call of ["open", "list", "look"] as const)
    for (const at of PLACES)
      for (const errno of ["EMFILE", "EACCES", "EIO"] as const) yield { call, errno, at }
  yield { call: "open", errno: "ENFILE", at: EVERYWHERE }
}

interface Subject {
  readonly store: Store
  readonly system: RefusingFileSystem
  readonly problems: Problem[]
}

function open(directory: string, variant: string): Subject {
  const system = new RefusingFileSystem(directory)
  const problems: Problem[] = []
  const isBeside = variant === "read beside another"
  const store = new Store(
    resolveOptions({
      directory: isBeside ? tempFolder() : directory,
      alsoRead: isBeside ? [directory] : [],
      backgroundIndex: false,
      durability: "relaxed",
      onProblem: (problem) => problems.push(problem),
    }),
    { fs: system.fs, filesOnly: variant === "files alone" },
  )
  return { store, system, problems }
}

/** Why an error says what is the matter; "there is no such record" does not. */
const TELLING = new Set(["UNREADABLE", "EXHAUSTED"])

/** Says what is wrong with how a question was answered; `undefined` where nothing is. */
async function judge(
  ask: Question,
  { store, system, problems }: Subject,
  refusal: Refusal,
  right: unknown,
  directory: string,
): Promise<string | undefined> {
  system.refusal = refusal
  const told: string[] = []
  let given: unknown
  try {
    given = await ask(store, (error) => isStoreError(error) && told.push(error.code))
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined
    if (refusal.at === EVERYWHERE && refusal.errno.endsWith("FILE"))
      return code === "EXHAUSTED" ? undefined : `failed with ${String(code)}: ${String(error)}`
    return TELLING.has(String(code)) ? undefined : `failed with ${String(code)}: ${String(error)}`
  } finally {
    system.refusal = undefined
  }
  if (Bun.deepEquals(located(given, directory), right)) return undefined
  const short = JSON.stringify(given ?? null).slice(0, 200)
  // What is refused for the moment, and everywhere, is no answer.
  if (refusal.at === EVERYWHERE && refusal.errno.endsWith("FILE")) return `gave ${short}`
  const codes = [...problems.map(({ code }) => code), ...told]
  const isTold = codes.some((code) => TELLING.has(code)) || short.includes("UNREADABLE")
  return isTold ? undefined : `gave ${short} and told nothing`
}

const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
/** All of them are tried in long runs; otherwise others each time. */
const SHARE = LONG ? { everywhere: 1, elsewhere: 1 } : { everywhere: 0.1, elsewhere: 0.0125 }
/** Most of the time is waiting. In a long run each question has a hundred stores of its own at once. */
const AT_ONCE = LONG ? 1 : 12
const random = new Random(LONG ? 1 : Date.now())

function isChosen({ call, at, errno }: Refusal): boolean {
  if (at !== EVERYWHERE) return random.chance(SHARE.elsewhere)
  return (errno === "EMFILE" && call === "list") || random.chance(SHARE.everywhere)
}

/** A folder of its own with the same store in it, as it is before anyone looked, or with its index. */
function copyOf(directory: string): string {
  const copy = tempFolder()
  fs.cpSync(directory, copy, { recursive: true, preserveTimestamps: true })
  return copy
}

async function tryAll(name: string, ask: Question, variant: string): Promise<string[]> {
  const directory = makeStore()
  const sound = copyOf(directory)
  const healthy = open(sound, variant)
  // So that a search has nothing to wait for.
  if (variant.startsWith("SQLite")) await healthy.store.index()
  const right = located(await ask(healthy.store, () => {}), sound)
  await healthy.store.close()
  const faults = await Promise.all(
    [...refusals()].filter(isChosen).map(async (refusal) => {
      const copy = copyOf(directory)
      const subject = open(copy, variant)
      if (variant === "SQLite, indexed") await subject.store.index()
      subject.problems.length = 0
      const fault = await judge(ask, subject, refusal, right, copy)
      // When it is over the answer is right again.
      const then = located(await ask(subject.store, () => {}), copy)
      const after = Bun.deepEquals(then, right) ? undefined : `gives ${JSON.stringify(then)} afterwards`
      await subject.store.close()
      const said = fault ?? after
      return said && `${name}: ${refusal.errno} ${refusal.call} ${refusal.at || "everywhere"}: ${said}`
    }),
  )
  return faults.filter((fault) => fault !== undefined)
}

/** An answer without where the store lies, which no two of them share. */
function located(value: unknown, directory: string): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value).replaceAll(directory, "<store>"))
}

test.each(["SQLite, indexed", "SQLite, new", "files alone", "read beside another"])(
  "what cannot be looked at is never taken to be absent: %s",
  async (variant) => {
    const wrong: string[] = []
    const questions = Object.entries(READS)
    for (let start = 0; start < questions.length; start += AT_ONCE)
      for (const faults of await Promise.all(
        questions.slice(start, start + AT_ONCE).map(([name, ask]) => tryAll(name, ask, variant)),
      ))
        wrong.push(...faults)
    expect(wrong).toEqual([])
  },
  LONG ? 3_600_000 : 60_000,
)
