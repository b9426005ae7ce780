import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore, postgres, type SearchOptions, type Store } from "../../src/index.ts"
import { messageFields } from "../../src/record/extract.ts"
import { fold } from "../../src/record/fold.ts"
import { matchesTexts, parseQuery } from "../../src/record/search-query.ts"
import { partTexts } from "../../src/record/search-text.ts"
import type { History } from "../../src/testing/index.ts"
import { describePostgres } from "../support/postgres.ts"
import { Random } from "../support/random.ts"
import { message, session } from "../support/records.ts"
import { tempFolder } from "../support/temp.ts"
import { publish } from "./publish.ts"

/** More than a search goes through before it turns to an index. */
const MESSAGES = 9_000
const SESSIONS = 60
/** Planted in few messages, old and new. */
const RARE = ["xylophone", "Ünïcödé", "漢字仮名", "🦜🦜", "q=z", "ξη", "50%_off", "back\\slash", "a漢", "x_y"]
const COMMON = ["the", "parse", "naïve", "漢字", "字", "🙂", "if", "a", "=>", "don't"]

function history(): History {
  const random = new Random(77)
  const sessions = Array.from({ length: SESSIONS }, (_, at) => {
    const id = `ses_${at}`
    return { folder: "p", id, body: { ...session(id, { projectID: "p" }) } }
  })
  const messages: History["messages"][number][] = []
  const parts: History["parts"][number][] = []
  for (let at = 0; at < MESSAGES; at++) {
    const [id, folder] = [`msg_${at}`, `ses_${at % SESSIONS}`]
    // Several have the same time, so that ids decide.
    messages.push({
      folder,
      id,
      body: { ...message(id, folder, Math.floor(at / 3), { role: at % 4 ? "assistant" : "user" }) },
    })
    for (let n = 0; n <= at % 2; n++) {
      const words = Array.from({ length: 3 + random.below(5) }, () => random.pick(COMMON))
      if (random.chance(0.001)) words.push(random.pick(RARE))
      // A text of several rows, with a rare word at its end.
      if (at === 4_321 && n === 0)
        words.push("beginning", "filler ".repeat(60_000), "xylophone", "at the end")
      const part = {
        id: `prt_${at}_${n}`,
        sessionID: folder,
        messageID: id,
        type: "text",
        text: words.join(" "),
      }
      parts.push({ folder: id, id: part.id, body: part })
    }
  }
  return { sessions, messages, parts }
}

/** Each message with its texts as they are compared, newest first. */
function textsOf({ messages, parts }: History) {
  const partsOf = Map.groupBy(parts, ({ folder }) => folder)
  return messages
    .map(({ folder, id, body }) => ({
      folder,
      id,
      fields: messageFields(body),
      texts: (partsOf.get(id) ?? []).flatMap((part) => partTexts(part.body)).map(fold),
    }))
    .sort((a, b) => b.fields.created - a.fields.created || (a.id < b.id ? 1 : -1))
}

type Texts = ReturnType<typeof textsOf>

/** What a search of messages finds, by the plainest computation, newest first. */
function plainHits(all: Texts, text: string, { role, since, until, sessionID }: SearchOptions): string[] {
  const query = parseQuery(text)
  return all
    .filter(({ folder, fields, texts }) => {
      return (
        matchesTexts(query, texts) &&
        (role === undefined || fields.role === role) &&
        (since === undefined || fields.created >= since) &&
        (until === undefined || fields.created <= until) &&
        (sessionID === undefined || folder === sessionID)
      )
    })
    .map(({ id }) => id)
}

const foundIn = async (store: Store, text: string, options: SearchOptions): Promise<string[]> =>
  (
    await Array.fromAsync(
      store.search(text, { in: "text", limit: 100_000, timeout: Number.POSITIVE_INFINITY, ...options }),
    )
  ).map(({ messageID = "" }) => messageID)

describePostgres("a search of more than its first look", (server) => {
  let made: Promise<{ url: string; texts: Texts }> | undefined
  const filled = () =>
    (made ??= (async () => {
      const url = await server.database()
      const holds = history()
      await publish(url, "m", holds)
      await server.sql("vacuum analyze", url)
      return { url, texts: textsOf(holds) }
    })())

  async function open(): Promise<Store> {
    const { url } = await filled()
    const folder = tempFolder()
    const roots = [postgres(url)]
    return openStore({
      directory: join(folder, "none"),
      indexPath: join(folder, "index"),
      roots,
      backgroundIndex: false,
    })
  }

  test("finds what is rare, frequent, short, or beyond ASCII, all of it and in order", async () => {
    const { texts } = await filled()
    await using store = await open()
    const queries = [
      ...RARE,
      ...COMMON.filter((word) => word.length > 1),
      ...["xylo", "phone", "仮名", "仮", "🦜", "ïcö", "%_", "\\s", "z", "q=", "漢字仮", "at the end"],
      ...[
        "the xylophone",
        '"parse the"',
        "xylophone -parse",
        "漢字仮名 🙂",
        "filler xylophone",
        "xylophone beginning",
        "none of these words",
      ],
    ]
    for (const query of queries) {
      const found = await foundIn(store, query, {})
      expect({ query, found }).toEqual({ query, found: plainHits(texts, query, {}) })
    }
  })

  test("keeps to roles, times and sessions, and goes on behind a hit", async () => {
    const { texts } = await filled()
    await using store = await open()
    for (const query of ["xylophone", "漢字仮名", "parse", "=>"])
      for (const options of [
        { role: "user" },
        { since: 1_000, until: 1_500 },
        { until: 700 },
        { sessionID: "ses_1" },
      ] satisfies SearchOptions[])
        expect({ query, found: await foundIn(store, query, options) }).toEqual({
          query,
          found: plainHits(texts, query, options),
        })
    const all = await Array.fromAsync(store.search("xylophone", { in: "text", limit: 1_000 }))
    expect(
      await Array.fromAsync(store.search("xylophone", { in: "text", limit: 1_000, after: all[1] })),
    ).toEqual(all.slice(2))
  })

  test("ends as partial where nothing is found in its time", async () => {
    await using store = await open()
    const search = store.search("qz", { in: "text", timeout: 0 })
    expect(await search.next()).toEqual({ done: true, value: { partial: true, reason: "timeout" } })
  })
})
