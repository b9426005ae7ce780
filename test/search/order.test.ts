import { expect, test } from "bun:test"
import { openStore, type SearchHit, type SearchOptions, type Store } from "../../src/index.ts"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"
import { variants } from "../support/variants.ts"

/** A message with one text. */
function say(directory: string, sessionID: string, id: string, created: number, text: string): void {
  put(directory, `message/${sessionID}/${id}.json`, message(id, sessionID, created))
  put(directory, `part/${id}/prt_1.json`, { type: "text", text })
}

async function find(store: Store, query: string, options: SearchOptions = {}): Promise<SearchHit[]> {
  return Array.fromAsync(store.search(query, { limit: 1000, ...options }))
}

test.each([
  ["", async () => {}],
  // The one whose id the late one ran into, and which was found already.
  [
    ", also where what lay between has gone",
    (store: Store) => store.messages.remove(["message", "ses_1", "msg_1"]),
  ],
] as const)(
  "a text that is put into the index while a search goes on is not passed over, wherever it is put%s",
  async (_, meanwhile) => {
    const directory = tempFolder()
    const second = 5_000
    // One in each second above, so that the first page of candidates ends amid this second, whose ids are all taken.
    for (let i = 1; i <= 127; i++) say(directory, "ses_1", `msg_${i}`, (second + i) * 1000, "common")
    for (let i = 0; i < 8; i++) say(directory, "ses_1", `msg_busy${i}`, second * 1000 + i, "common")
    await using store = await openStore({ directory, backgroundIndex: false })
    await untilProven()
    await store.index()
    await store.messages.write(message("msg_late", "ses_1", second * 1000))
    await store.parts.write({ ...part("prt_1", "msg_late", "common"), sessionID: "ses_1" })
    const found: SearchHit[] = []
    for await (const hit of store.search("common", { limit: 1000 })) {
      if (found.push(hit) !== 127) continue
      // Not yet in the index when the search began; put behind where it has passed.
      await store.index()
      await meanwhile(store)
    }
    expect(found.map(({ messageID }) => messageID)).toContain("msg_late")
    expect(found).toHaveLength(127 + 8 + 1)
    expect(found.map(({ time }) => time)).toEqual(found.map(({ time }) => time).sort((a, b) => b - a))
  },
)

for (const { name, open } of variants.slice(0, 2)) {
  test(`${name}: hundreds of messages of one second are found in order, page by page, and up to a time`, async () => {
    const directory = tempFolder()
    for (let i = 0; i < 300; i++) say(directory, "ses_1", `msg_${1000 + i}`, 5_000_000 + i, "common word")
    // A message without a time, and some around the busy second.
    put(directory, "message/ses_1/msg_0.json", { role: "user" })
    put(directory, "part/msg_0/prt_1.json", { type: "text", text: "common" })
    for (const second of [4_999, 5_001, 5_003, 5_020])
      say(directory, "ses_2", `msg_${second}`, second * 1000, "common")
    await using store = await open(directory)
    const whole = await find(store, "common")
    expect(whole).toHaveLength(305)
    expect(whole.map(({ time }) => time)).toEqual(whole.map(({ time }) => time).sort((a, b) => b - a))
    const paged: SearchHit[] = []
    for (let after: SearchHit | undefined; ; ) {
      const page = await find(store, "common", { limit: 50, after })
      paged.push(...page)
      after = page.at(-1)
      if (!after) break
    }
    expect(paged).toEqual(whole)
    expect(await find(store, "common", { until: 5_000_149 })).toHaveLength(152)
    expect(await find(store, "common", { since: 5_000_150, until: 5_001_000 })).toHaveLength(151)
  })

  test(`${name}: one id in two sessions is two hits, and times beyond all seconds are found`, async () => {
    const directory = tempFolder()
    for (const folder of ["ses_1", "ses_2"]) say(directory, folder, "msg_1", 7_000_000, "twofold")
    say(directory, "ses_3", "msg_2", 1.7e18, "nanoseconds")
    await using store = await open(directory)
    const [first] = await find(store, "twofold", { limit: 1 })
    expect(first?.sessionID).toBe("ses_2")
    const rest = await find(store, "twofold", { after: first })
    expect(rest.map(({ sessionID }) => sessionID)).toEqual(["ses_1"])
    expect(await find(store, "nanoseconds")).toHaveLength(1)
    // Whose texts are not in the full-text index yet.
    await store.parts.update(["part", "msg_2", "prt_1"], (part) => Object.assign(part, { text: "later" }))
    expect(await find(store, "later")).toHaveLength(1)
  })

  test(`${name}: a whole long title is found, and so are thousands of different words`, async () => {
    const directory = tempFolder()
    const words = Array.from({ length: 3_000 }, (_, i) => `w${i}x`)
    const title = words.slice(0, 100).join(" ")
    put(directory, "session/p1/ses_1.json", session("ses_1", { title }))
    put(directory, "session/p1/ses_2.json", session("ses_2", { title: words.join(" ") }))
    say(directory, "ses_3", "msg_1", 1, words.join("\n"))
    await using store = await open(directory)
    const hits = async (query: string): Promise<string[]> =>
      (await find(store, query)).map(({ kind, sessionID }) => `${kind} ${sessionID}`)
    expect(await hits(`"${title}"`)).toEqual(["title ses_2", "title ses_1"])
    expect(await hits(words.join(" "))).toEqual(["title ses_2", "text ses_3"])
    expect(
      await hits(
        `w1x ${words
          .slice(2_000)
          .map((word) => `-${word}`)
          .join(" ")}`,
      ),
    ).toEqual(["title ses_1"])
  })
}

test("a search that finds nothing leaves the event loop free, so that it can be ended", async () => {
  const [variant] = variants
  const directory = tempFolder()
  // Each holds all three letters in a row of what is looked for, so each has to be read.
  for (let i = 0; i < 400; i++) say(directory, "ses_1", `msg_${i}`, i, "xabcx yabcy ".repeat(100))
  await using store = await variant?.open(directory)
  await store?.index()
  const stop = new AbortController()
  setImmediate(() => setImmediate(() => stop.abort(new Error("enough"))))
  await expect(find(store as Store, "xabcy", { signal: stop.signal })).rejects.toThrow("enough")
})

test("times that are none are refused", async () => {
  const [variant] = variants
  await using store = await variant?.open(tempFolder())
  for (const options of [{ since: Number.NaN }, { until: Number.NaN }, { timeout: Number.NaN }])
    await expect(find(store as Store, "word", options)).rejects.toThrow(TypeError)
})
