import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type PushResult, type StoreError } from "../../src/index.ts"
import { describePostgres } from "../support/postgres.ts"
import { put } from "../support/temp.ts"
import { pushed, pushOf, putSmall, small } from "./pushing.ts"
import { plainSessions, publishedIn } from "./tables.ts"

describePostgres("a database that is not as it should be", (server) => {
  test("gone, refusing, full, read-only, of another version: a clear error, and the next push goes on", async () => {
    const url = await server.database()
    const name = url.split("/").at(-1)
    const directory = small()
    await pushed(directory, url, { name: "one" })
    putSmall(directory, "ses_2")
    const fails = async (code: string, hint: string, at = url): Promise<void> => {
      const error = await pushed(directory, at).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, hint: expect.stringContaining(hint) })
    }
    await fails("FLEET_UNAVAILABLE", "createdb", server.url("no_such_database"))
    await server.sql(`alter database ${name} set default_transaction_read_only = on`)
    await fails("FLEET_UNAVAILABLE", "primary")
    await server.sql(`alter database ${name} reset default_transaction_read_only`)
    await server.sql(`alter database ${name} connection limit 0`)
    await server.sql("create role plain login", url)
    await fails("FLEET_UNAVAILABLE", "pooler", server.url(String(name), "plain"))
    await server.sql(`alter database ${name} connection limit -1`)
    await fails("FLEET_UNAVAILABLE", "rights", server.url(String(name), "plain"))
    await server.sql(
      "create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'no room' using errcode = '53100'; end $$; create trigger t before insert on sessiondex.message execute function full_disk()",
      url,
    )
    await fails("FLEET_UNAVAILABLE", "Make room")
    await server.sql("drop trigger t on sessiondex.message", url)
    await server.sql("insert into sessiondex.migration (name) values ('29990101000000_later')", url)
    await fails("FLEET_SCHEMA", "Update")
    await server.sql("delete from sessiondex.migration where name = '29990101000000_later'", url)
    expect(await publishedIn(server, url)).toMatchObject({ one: { ses_1: {} } })
    expect(await pushed(directory, url)).toMatchObject({ sessions: { added: 1, unchanged: 1 }, left: [] })
    await server.stop()
    try {
      await fails("FLEET_UNAVAILABLE", "runs")
      // What is local does not wait for it.
      await using store = await openStore({ directory, backgroundIndex: false })
      expect(await store.sessions.count()).toBe(2)
    } finally {
      await server.start()
    }
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  })

  test("a server that is restarted during a push is waited for, and nothing is lost", async () => {
    const url = await server.database()
    const directory = small("ses_0")
    for (let at = 1; at < 40; at++) putSmall(directory, `ses_${at}`)
    await using store = await openStore({ directory, backgroundIndex: false })
    const pushing = store.push(url, { name: "one" })
    await pushing.next()
    await server.stop("immediate")
    const next = pushing.next()
    await server.start()
    let step = await next
    while (!step.done) step = await pushing.next()
    expect(step.value).toMatchObject({ sessions: { unchanged: 0 }, left: [] })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  })

  test("a role with no more than the rights to its rows can push, once the tables are there", async () => {
    const url = await server.database()
    await pushed(small("ses_first"), url, { name: "owner" })
    await server.sql(
      `create role pusher login; grant usage on schema sessiondex to pusher; grant usage on sequence sessiondex.changes to pusher;
       grant select, insert, update, delete on all tables in schema sessiondex to pusher; revoke insert, update, delete on sessiondex.migration, sessiondex.forgotten from pusher`,
      url,
    )
    const directory = small()
    const name = String(url.split("/").at(-1))
    await pushed(directory, server.url(name, "pusher"), { name: "one" })
    expect((await publishedIn(server, url)).one).toEqual(plainSessions(directory))
  })
})

describePostgres("a push that goes on", (server) => {
  test("publishes what changes, waits out a database that is gone, and ends with its signal", async () => {
    const url = await server.database()
    const directory = small()
    await using store = await openStore({ directory, watch: true, backgroundIndex: false })
    const end = new AbortController()
    const rounds: (PushResult | StoreError)[] = []
    let told = Promise.withResolvers<void>()
    const going = pushOf(store, url, {
      watch: true,
      name: "one",
      signal: end.signal,
      onRound: (round) => {
        rounds.push(round)
        told.resolve()
      },
    })
    const round = async (isMeant: (round: PushResult | StoreError) => boolean): Promise<void> => {
      while (!rounds.some(isMeant)) {
        told = Promise.withResolvers()
        await told.promise
      }
      rounds.length = 0
    }
    const has =
      (wanted: Partial<PushResult["sessions"]>) =>
      (one: PushResult | StoreError): boolean =>
        "sessions" in one && Bun.deepMatch(wanted, one.sessions)
    await round(has({ added: 1 }))
    putSmall(directory, "ses_2")
    await round(has({ added: 1, unchanged: 1 }))
    await server.stop("immediate")
    put(directory, "message/ses_2/msg_more.json", { role: "user", time: { created: 9 } })
    await round((one) => "code" in one && one.code === "FLEET_UNAVAILABLE")
    await server.start()
    await round(has({ changed: 1, unchanged: 1 }))
    fs.rmSync(join(directory, "session/proj/ses_2.json"))
    await round(has({ unchanged: 1, removed: 0 }))
    end.abort(new Error("enough"))
    await expect(going).rejects.toThrow("enough")
    expect(Object.keys((await publishedIn(server, url)).one ?? {})).toEqual(["ses_1", "ses_2"])
  })
})
