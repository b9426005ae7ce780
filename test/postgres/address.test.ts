import { expect, test } from "bun:test"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { addressOf } from "../../src/postgres/address.ts"
import { passwordOf } from "../../src/postgres/pass-file.ts"
import { tempFolder } from "../support/temp.ts"

test("a URL is read as PostgreSQL's own programs read it", () => {
  expect(addressOf("postgres://ann:p%40ss@db.example:6432/team%20one", {})).toMatchObject({
    place: "postgres://db.example:6432/team%20one",
    hostname: "db.example",
    port: 6432,
    database: "team one",
    username: "ann",
    password: "p@ss",
    tls: "verify-full",
  })
  const env = { PGUSER: "bob", PGPASSWORD: "x", PGDATABASE: "team", PGPORT: "7000", PGHOST: "10.0.0.1" }
  expect(addressOf("postgresql://", env)).toMatchObject({
    place: "postgres://10.0.0.1:7000/team",
    username: "bob",
    password: "x",
    tls: "verify-full",
  })
  expect(addressOf("postgres://u@[::1]/d", {})).toMatchObject({
    place: "postgres://[::1]:5432/d",
    tls: "disable",
  })
  expect(addressOf("postgres:///d?host=/run/pg&user=u", {})).toMatchObject({
    socket: "/run/pg",
    place: "postgres://%2Frun%2Fpg:5432/d",
    tls: "disable",
  })
})

test("off this machine nothing goes in the clear", () => {
  for (const mode of ["disable", "allow", "prefer"]) {
    expect(() => addressOf(`postgres://u:pw@db.example/d?sslmode=${mode}`, {})).toThrow(TypeError)
    expect(() => addressOf("postgres://u:pw@db.example/d", { PGSSLMODE: mode })).toThrow(TypeError)
    expect(addressOf(`postgres://u@127.0.0.1/d?sslmode=${mode}`, {}).tls).toBe("disable")
  }
  expect(addressOf("postgres://u@db.example/d?sslmode=require", {}).tls).toBe("require")
  expect(() => addressOf("postgres://u@db.example/d?sslmode=perhaps", {})).toThrow("no sslmode")
})

test("what is no such URL is told without repeating it", () => {
  for (const target of ["mysql://u:s3cret@h/d", "postgres//u:s3cret@h", "s3cret"]) {
    expect(() => addressOf(target, {})).toThrow(TypeError)
    expect(() => addressOf(target, {})).not.toThrow("s3cret")
  }
})

test("the password file's first line that fits has the password, where nobody else may read it", () => {
  const path = join(tempFolder(), "pgpass")
  const lines = ["# comment", "db:5432:other:ann:no", String.raw`db:*:team:ann:a\:b\\c:d`, "*:*:*:*:any", ""]
  writeFileSync(path, lines.join("\n"), { mode: 0o600 })
  const env = { PGPASSFILE: path }
  const login = { host: "db", port: 5432, database: "team", user: "ann" }
  expect(passwordOf(login, env)).toBe(String.raw`a:b\c:d`)
  expect(passwordOf({ ...login, user: "bob" }, env)).toBe("any")
  expect(addressOf("postgres://ann@db/team", env).password).toBe(String.raw`a:b\c:d`)
  expect(addressOf("postgres://ann:own@db/team", env).password).toBe("own")
  chmodSync(path, 0o644)
  expect(passwordOf(login, env)).toBeUndefined()
  expect(passwordOf(login, { PGPASSFILE: `${path}-none` })).toBeUndefined()
})
