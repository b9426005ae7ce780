import { eq, inArray, isNull, sql } from "drizzle-orm"
import { isStoreError, StoreError } from "../errors.ts"
import type { FleetConnection } from "../postgres/connection.ts"
import { machines } from "../postgres/schema.ts"
import { storable } from "../postgres/storable.ts"
import { isOurs, type Machine, type MachineFile, newToken } from "./machine.ts"
import type { PushOptions } from "./options.ts"
import type { Publisher } from "./session-transaction.ts"

/** Who pushes, and what is known of the database. */
export interface Begun extends Publisher {
  readonly name: string
  /** Nothing of this machine is there. */
  readonly isNew: boolean
  /** There are no tables. */
  readonly isEmpty: boolean
}

/**
 * Begins a push: makes the tables where there are none, and leaves a new mark in the database and, before that, here. A mark in the database that was
 * never kept here is that of another disk with this machine's id. With `dryRun` nothing is written.
 * @throws StoreError `MACHINE_COPIED`, `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `CORRUPT`, `WRITE_FAILED`
 */
export async function beginPush(
  fleet: FleetConnection,
  file: MachineFile,
  { name, newMachine = false, dryRun = false }: PushOptions,
): Promise<Begun> {
  if (name !== undefined && (typeof name !== "string" || name === ""))
    throw new TypeError("name must be a text")
  if (!dryRun) await fleet.migrate()
  const machine = file.machine(name, newMachine)
  const token = newToken()
  const known = await knownMachine(fleet, machine.id, dryRun)
  if (known !== "empty" && known && !isOurs(machine, known.token)) throw copied(machine, file)
  if (!dryRun) {
    // Kept before it is left: a push that is killed between the two is known all the same.
    await file.write(machine, fleet.place, token)
    await leaveMark(fleet, machine, file, token)
  }
  const { id } = machine
  return {
    fleet,
    machine: id,
    token,
    name: machine.name,
    knowsLz4: !dryRun && (await knowsLz4(fleet)),
    isNew: known === "empty" || known === undefined,
    isEmpty: known === "empty",
  }
}

async function knownMachine(
  fleet: FleetConnection,
  id: string,
  mayBeEmpty: boolean,
): Promise<{ token: string | null } | "empty" | undefined> {
  try {
    const rows = await fleet.read((db) =>
      db.select({ token: machines.token }).from(machines).where(eq(machines.id, id)),
    )
    return rows[0]
  } catch (error) {
    // Where nobody has pushed yet all would be new.
    if (mayBeEmpty && isStoreError(error, "FLEET_SCHEMA") && error.message.startsWith("Nothing was ever"))
      return "empty"
    throw error
  }
}

async function knowsLz4(fleet: FleetConnection): Promise<boolean> {
  const found = await fleet.read((db) =>
    db.execute(
      sql`select 1 from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)`,
    ),
  )
  return found.length > 0
}

/** In one statement, so that of two disks with one id the second finds the first one's mark. */
async function leaveMark(
  fleet: FleetConnection,
  machine: Machine,
  file: MachineFile,
  token: string,
): Promise<void> {
  const ours = Object.values(machine.tokens).flat()
  const row = { name: storable(machine.name), token, pushed: sql`now()` }
  const isMine = sql`${isNull(machines.token)} or ${inArray(machines.token, [...ours, token])}`
  const left = await fleet.write((db) =>
    db
      .insert(machines)
      .values({ id: machine.id, ...row })
      .onConflictDoUpdate({ target: machines.id, set: row, setWhere: isMine })
      .returning({ id: machines.id }),
  )
  if (left.length === 0) throw copied(machine, file)
}

function copied({ id, name }: Machine, { path }: MachineFile): StoreError {
  return new StoreError("MACHINE_COPIED", `Another disk has pushed as this machine (${name}, ${id})`, {
    path,
    hint: "If this disk was copied from another machine's, or brought back from a backup, go on as a machine of its own: push --new-machine.",
  })
}
