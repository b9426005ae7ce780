import { expect, test } from "bun:test"
import * as v from "valibot"
import { openStore } from "../../src/index.ts"
import { failure, session } from "../support/records.ts"
import { snapshot, tempFolder } from "../support/temp.ts"

test("a body that its kind's schema refuses is INVALID_RECORD, names the issues and changes nothing", async () => {
  const schemas = { session: v.looseObject({ id: v.string(), title: v.pipe(v.string(), v.minLength(3)) }) }
  await using store = await openStore({ directory: tempFolder(), backgroundIndex: false, schemas })
  await store.sessions.write(session("ses_1", { title: "long enough", extra: "kept" }))
  const before = snapshot(`${store.directory}/session`)
  const error = await failure(store.sessions.write(session("ses_1", { title: "no" })))
  expect(error).toMatchObject({ code: "INVALID_RECORD", message: expect.stringContaining("title") })
  expect(await failure(store.sessions.update("ses_1", (draft) => ({ ...draft, title: "" })))).toMatchObject({
    code: "INVALID_RECORD",
  })
  expect(await failure(store.write(["session", "proj", "ses_2"], { nothing: "right" }))).toMatchObject({
    code: "INVALID_RECORD",
  })
  expect(snapshot(`${store.directory}/session`)).toEqual(before)
  expect((await store.sessions.get("ses_1"))?.extra).toBe("kept")
})

test("a kind that is named as what every object inherits has no schema", async () => {
  await using store = await openStore({ directory: tempFolder(), backgroundIndex: false, schemas: {} })
  for (const kind of ["constructor", "toString", "__proto__"]) {
    await store.write([kind, "x"], { kind })
    expect(await store.read<object>([kind, "x"])).toEqual({ kind })
  }
})

test("an asynchronous schema is misuse", async () => {
  const schemas = {
    permission: v.pipeAsync(
      v.array(v.unknown()),
      v.checkAsync(async () => {
        throw new Error("Nobody waits for it")
      }),
    ),
    todo: v.pipeAsync(
      v.array(v.unknown()),
      v.checkAsync(async () => true),
    ),
  }
  await using store = await openStore({ directory: tempFolder(), backgroundIndex: false, schemas })
  expect(await failure(store.write(["todo", "ses_1"], []))).toBeInstanceOf(TypeError)
  expect(await failure(store.write(["permission", "proj"], []))).toBeInstanceOf(TypeError)
})
