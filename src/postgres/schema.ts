import { sql } from "drizzle-orm"
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  foreignKey,
  index,
  integer,
  pgSchema,
  primaryKey,
  text,
  timestamp,
} from "drizzle-orm/pg-core"

/**
 * What many machines publish. Each machine is the only writer of its own rows: the key everywhere is (machine, session), and copies of
 * two machines are never merged. Nothing here is the truth: dropped, it is filled again by pushing.
 *
 * Bodies are the JSON text itself, in its own spelling: `jsonb` would sort, round and refuse `\u0000`. All that is beside a body is
 * derived from it by `record/extract.ts` and `record/search-text.ts`, so that the database and the stores of machines filter, order and
 * search alike. Such columns hold no NUL, which PostgreSQL cannot store (`postgres/storable.ts`).
 */
export const fleet = pgSchema("sessiondex")

/** Text that is compared by code point, as `compareText` does, whatever the database's own collation is. */
const name = customType<{ data: string; driverData: string }>({ dataType: () => 'text collate "C"' })

/**
 * Numbers the changes of sessions. Whoever changes a session takes the next one at the end of its transaction, under the advisory lock
 * `CHANGE_LOCK`, which is held until it is committed: so numbers become visible in their order, and a reader that has seen one misses
 * none before it.
 */
export const changes = fleet.sequence("changes")

/** Who publishes here. */
export const machines = fleet.table("machine", {
  /** A random id from the machine's data folder; host names are not unique, and change. */
  id: name().primaryKey(),
  /** What people call it. */
  name: text().notNull(),
  /** What the machine's last push left, by which a copied disk is noticed; `null` before the first. */
  token: text(),
  pushed: timestamp({ withTimezone: true }),
})

const machine = () =>
  name()
    .notNull()
    .references(() => machines.id, { onDelete: "cascade" })

/** A machine's body of a project. */
export const projects = fleet.table(
  "project",
  { machine: machine(), id: name().notNull(), body: text().notNull() },
  (table) => [primaryKey({ columns: [table.machine, table.id] })],
)

/** One machine's copy of a session. */
export const sessions = fleet.table(
  "session",
  {
    machine: machine(),
    id: name().notNull(),
    /** Which agent wrote it, and the place on its machine that it was read from. */
    source: name().notNull(),
    place: text().notNull(),
    project: name().notNull(),
    parent: name(),
    /** The work tree it ran in. */
    directory: name(),
    title: text(),
    /** The title as it is searched: `record/fold.ts`. */
    folded: text(),
    created: doublePrecision().notNull(),
    updated: doublePrecision().notNull(),
    archived: boolean().notNull(),
    body: text().notNull(),
    /** Of all that is published of the session: its body, messages, parts and side files. */
    hash: text().notNull(),
    /** What the machine's own index said of it when it was published, opaque: while that is so it need not be read. `null` where it could tell nothing. */
    version: text(),
    /** The number of its last change. */
    sequence: bigint({ mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.machine, table.id] }),
    index("session_id").on(table.id, table.updated),
    index("session_updated").on(table.updated, table.id),
    index("session_created").on(table.created, table.id),
    index("session_project").on(table.project, table.updated, table.id),
    index("session_parent").on(table.parent, table.updated, table.id),
    index("session_sequence").on(table.sequence),
  ],
)

const ofSession = { machine: name().notNull(), session: name().notNull() }

export const messages = fleet.table(
  "message",
  {
    ...ofSession,
    id: name().notNull(),
    created: doublePrecision().notNull(),
    role: name(),
    body: text().notNull(),
    /** Of the message with its parts, so that a push sends only what changed. */
    hash: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.machine, table.session, table.id] }),
    foreignKey({
      columns: [table.machine, table.session],
      foreignColumns: [sessions.machine, sessions.id],
    }).onDelete("cascade"),
    index("message_created").on(table.machine, table.session, table.created, table.id),
    index("message_id").on(table.id),
  ],
)

const ofMessage = { ...ofSession, message: name().notNull() }

export const parts = fleet.table(
  "part",
  {
    ...ofMessage,
    id: name().notNull(),
    /** Its place among the parts of its message, from 0. */
    position: integer().notNull(),
    type: name(),
    tool: name(),
    body: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.machine, table.session, table.message, table.id] }),
    foreignKey({
      columns: [table.machine, table.session, table.message],
      foreignColumns: [messages.machine, messages.session, messages.id],
    }).onDelete("cascade"),
    index("part_message").on(table.message),
    index("part_id").on(table.id),
  ],
)

/** What belongs to a session and lies beside it: `todo` and `session_diff`. Shares are secrets and are never published. */
export const sides = fleet.table(
  "side",
  { ...ofSession, kind: name().notNull(), body: text().notNull() },
  (table) => [
    primaryKey({ columns: [table.machine, table.session, table.kind] }),
    foreignKey({
      columns: [table.machine, table.session],
      foreignColumns: [sessions.machine, sessions.id],
    }).onDelete("cascade"),
    index("side_session").on(table.session, table.kind),
  ],
)

/**
 * What a search goes through: a row a message that has texts, or several where they are long. `postgres/texts.ts` makes them.
 * Every term of up to `LONGEST_TERM` letters that a message holds stands whole in one of its rows.
 */
export const texts = fleet.table(
  "text",
  {
    ...ofMessage,
    piece: integer().notNull(),
    /** Whether this row is all of the message's texts, so that terms that must all occur all stand here. */
    whole: boolean().notNull(),
    /** The message's, so that a search goes along them, newest first. */
    created: doublePrecision().notNull(),
    role: name(),
    /** Its texts, folded, with `TEXT_END` between them. */
    folded: text().notNull(),
    /** One and two characters long, those with one beyond ASCII: pg_trgm knows none of two letters, and in many locales none of these. */
    grams: text().array().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.machine, table.session, table.message, table.piece] }),
    foreignKey({
      columns: [table.machine, table.session, table.message],
      foreignColumns: [messages.machine, messages.session, messages.id],
    }).onDelete("cascade"),
    index("text_newest").on(table.created, table.message, table.session, table.machine, table.piece),
    index("text_folded").using("gin", sql`${table.folded} gin_trgm_ops`),
    index("text_grams").using("gin", table.grams),
  ],
)

/** Copies that a machine took back, so that who follows the numbers hears of it. */
export const removals = fleet.table(
  "removal",
  { machine: machine(), session: name().notNull(), sequence: bigint({ mode: "number" }).notNull() },
  (table) => [
    primaryKey({ columns: [table.machine, table.session] }),
    index("removal_sequence").on(table.sequence),
  ],
)

/** Sessions that were removed for all, and that no push brings back. */
export const forgotten = fleet.table("forgotten", {
  session: name().primaryKey(),
  at: timestamp({ withTimezone: true }).notNull().defaultNow(),
})
