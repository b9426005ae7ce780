import { expect, test } from "bun:test"
import {
  type FieldTest,
  type Message,
  openStore,
  type Part,
  type SessionListOptions,
  type Store,
} from "sessiondex"
import { createStorage } from "sessiondex/storage"
import { tempFolder } from "./support/temp.ts"

interface MySession {
  id: string
  projectID: string
  mood: "good" | "bad"
  time: { created: number; updated: number }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

test("an app's own shapes go in and come out; others keep their defaults", async () => {
  await using store = await openStore<MySession>({ directory: tempFolder(), backgroundIndex: false })
  await store.sessions.write({ id: "ses_1", projectID: "p", mood: "good", time: { created: 1, updated: 1 } })
  const time = { created: 1, updated: 1 }
  // @ts-expect-error a mood is not just any text
  const mood: MySession["mood"] = "fine"
  const wrong: Parameters<typeof store.sessions.write>[0] = { id: "x", projectID: "p", mood, time }
  expect(wrong.mood).not.toBe("good")
  const listed = await Array.fromAsync(store.sessions.list())
  const types: [
    Same<typeof listed, MySession[]>,
    Same<Awaited<ReturnType<typeof store.messages.get>>, Message | undefined>,
  ] = [true, true]
  expect(types).toEqual([true, true])
  expect(listed[0]?.mood).toBe("good")
  await using storage = await createStorage<MySession>({ directory: store.directory, backgroundIndex: false })
  const parts: Same<Awaited<ReturnType<typeof storage.store.parts.get>>, Part | undefined> = true
  expect(parts).toBe(true)
})

test("declared fields are typed by their declaration, and nothing can be asked of a store without", async () => {
  await using store = await openStore({
    directory: tempFolder(),
    backgroundIndex: false,
    fields: { session: { mood: "text", score: "number" } },
  })
  type Options = NonNullable<Parameters<typeof store.sessions.list>[0]>
  const types: [
    Same<Options["order"], "updated" | "created" | "mood" | "score" | undefined>,
    Same<NonNullable<Options["where"]>["score"], FieldTest<"number"> | undefined>,
  ] = [true, true]
  expect(types).toEqual([true, true])
  const wrong: unknown[] = [
    // @ts-expect-error a score is a number
    { where: { score: "high" } } satisfies Options,
    // @ts-expect-error a colour is not declared
    { where: { colour: "red" } } satisfies Options,
    // @ts-expect-error nor an order
    { order: "colour" } satisfies Options,
    // @ts-expect-error without a declaration there is nothing to ask for
    { where: { mood: "calm" } } satisfies SessionListOptions,
  ]
  expect(wrong).toHaveLength(4)
  const plain: Store = store
  expect(await Array.fromAsync(plain.sessions.ids())).toEqual([])
})
