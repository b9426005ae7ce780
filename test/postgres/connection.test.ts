import { expect, test } from "bun:test"
import { sql } from "drizzle-orm"
import { FleetConnection } from "../../src/postgres/connection.ts"
import { fleetMigrations } from "../../src/postgres/migrations.ts"
import { describePostgres } from "../support/postgres.ts"

async function using<T>(url: string, work: (fleet: FleetConnection) => Promise<T>, options = {}): Promise<T> {
  const fleet = new FleetConnection(url, options)
  try {
    return await work(fleet)
  } finally {
    await fleet.close()
  }
}

const one = (fleet: FleetConnection) => fleet.read((db) => db.execute(sql`select 1 as one`))

describePostgres("a fleet's database", (server) => {
  test("it is made by whoever pushes first, also where many come at once", async () => {
    const url = await server.database()
    await using(url, async (fleet) => {
      await expect(one(fleet)).rejects.toMatchObject({ code: "FLEET_SCHEMA" })
    })
    await Promise.all(
      Array.from({ length: 6 }, () =>
        using(url, async (fleet) => {
          await fleet.migrate()
          await one(fleet)
        }),
      ),
    )
    expect(await server.sql("select name from sessiondex.migration order by name", url)).toEqual(
      fleetMigrations.map(({ name }) => ({ name })),
    )
  })

  test("tables of a newer or an older version are told", async () => {
    const url = await server.database()
    await using(url, (fleet) => fleet.migrate())
    await server.sql("insert into sessiondex.migration (name) values ('29990101000000_future')", url)
    await using(url, async (fleet) => {
      const newer = { code: "FLEET_SCHEMA", message: expect.stringContaining("newer version") }
      await expect(one(fleet)).rejects.toMatchObject(newer)
      await expect(fleet.migrate()).rejects.toMatchObject(newer)
      await expect(fleet.write(async () => {})).rejects.toMatchObject(newer)
    })
    const last = fleetMigrations.at(-1)?.name
    await server.sql(
      `delete from sessiondex.migration where name in ('29990101000000_future', '${last}')`,
      url,
    )
    await using(url, async (fleet) => {
      const older = { code: "FLEET_SCHEMA", message: expect.stringContaining("older version") }
      await expect(one(fleet)).rejects.toMatchObject(older)
    })
  })

  test("what is wrong with the server is told without credentials", async () => {
    const url = await server.database()
    const wrong = [
      server.url("no_such_database"),
      server.url("postgres", "nobody", "s3cret-word"),
      "postgres://fleet:s3cret-word@127.0.0.1:1/postgres",
      "postgres://fleet:s3cret-word@no-such-host.invalid/postgres",
      url.replace("127.0.0.1", "localhost").concat("?sslmode=require"),
    ]
    for (const target of wrong)
      await using(target, async (fleet) => {
        const error = await one(fleet).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({
          code: "FLEET_UNAVAILABLE",
          path: fleet.place,
          hint: expect.any(String),
        })
        expect(Bun.inspect(error)).not.toContain("s3cret-word")
      })
  })

  test("a lost connection is made again, and a server that is gone is told", async () => {
    const url = await server.database()
    await using(url, async (fleet) => {
      await fleet.migrate()
      await one(fleet)
      await server.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sessiondex'",
      )
      expect(await one(fleet)).toHaveLength(1)
      await server.stop()
      const asked = one(fleet)
      await server.start()
      expect(await asked).toHaveLength(1)
      await server.stop("immediate")
      await expect(one(fleet)).rejects.toMatchObject({ code: "FLEET_UNAVAILABLE" })
      await server.start()
      expect(await one(fleet)).toHaveLength(1)
    })
  })

  test("a server that does not answer in time is told, and the next question is asked anew", async () => {
    const url = await server.database()
    await using(url, (fleet) => fleet.migrate())
    const slow = (fleet: FleetConnection) => fleet.read((db) => db.execute(sql`select pg_sleep(60)`))
    await using(
      url,
      async (fleet) => {
        await expect(slow(fleet)).rejects.toMatchObject({ code: "FLEET_UNAVAILABLE" })
        expect(await one(fleet)).toHaveLength(1)
      },
      { timeout: 500 },
    )
  })

  test("a transaction that throws leaves nothing, and a closed connection says so", async () => {
    const url = await server.database()
    await using(url, async (fleet) => {
      await fleet.migrate()
      const machine = sql`insert into sessiondex.machine (id, name) values ('m', 'one')`
      const broken = fleet.write(async (db) => {
        await db.execute(machine)
        throw new Error("broken off")
      })
      await expect(broken).rejects.toThrow("broken off")
      expect(await server.sql("select id from sessiondex.machine", url)).toEqual([])
      await fleet.write((db) => db.execute(machine))
      expect(await server.sql("select id from sessiondex.machine", url)).toEqual([{ id: "m" }])
      await fleet.close()
      await expect(one(fleet)).rejects.toMatchObject({ code: "CLOSED" })
    })
  })

  test("a database that takes no changes is told", async () => {
    const url = await server.database()
    await using(url, async (fleet) => {
      await fleet.migrate()
      await server.sql(`alter database ${url.split("/").at(-1)} set default_transaction_read_only = on`)
      await server.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sessiondex'",
      )
      await one(fleet)
      const change = fleet.write((db) => db.execute(sql`delete from sessiondex.machine`))
      await expect(change).rejects.toMatchObject({
        code: "FLEET_UNAVAILABLE",
        hint: expect.stringContaining("replica"),
      })
    })
  })

  test("a Unix socket will do", async () => {
    const url = await server.database()
    const socket = `postgres:///${url.split("/").at(-1)}?host=${server.folder}&port=${server.port}&user=fleet`
    await using(socket, async (fleet) => {
      await fleet.migrate()
      expect(await one(fleet)).toHaveLength(1)
    })
  })
})
