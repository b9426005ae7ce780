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
 * The schema of what many machines publish. Only a machine itself writes its rows: all keys begin with (machine, session), and copies of
 * two machines are never merged. Nothing here is the truth: if it is dropped, pushing fills it again.
 *
 * Bodies are JSON texts as they are written: `jsonb` would sort keys, round numbers and refuse `\u0000`. All other columns are derived
 * from the body by `record/extract.ts` and `record/search-text.ts`, so that the database and local stores filter, order and search alike.
 * They hold no NUL, which PostgreSQL cannot store (`postgres/storable.ts`).
 */
export const fleet = pgSchema("sessiondex")

/** A text column that is compared by code point, like `compareText`, whatever the database's collation is. */
const name = customType<{ data: string; driverData: string }>({ dataType: () => 'text collate "C"' })

/**
 * Numbers the changes of sessions. A transaction that changes a session takes the next number at its end, under the advisory lock
 * `CHANGE_LOCK`, which it holds until the commit. So numbers become visible in order, and a reader that has seen one has missed none
 * before it.
 */
export const changes = fleet.sequence("changes")

/** The machines that publish here. */
export const machines = fleet.table("machine", {
  /** A random id from the machine's data folder, since host names change and are not unique. */
  id: name().primaryKey(),
  /** The machine's name, for people. */
  name: text().notNull(),
  /** The mark that the machine's last push left, by which a copied disk is noticed; `null` before the first push. */
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
    /** Which agent wrote it and, in `place`, where on its machine it was read from. */
    source: name().notNull(),
    place: text().notNull(),
    project: name().notNull(),
    parent: name(),
    /** The work tree it ran in. */
    directory: name(),
    title: text(),
    /** The title, folded for searching: `record/fold.ts`. */
    folded: text(),
    created: doublePrecision().notNull(),
    updated: doublePrecision().notNull(),
    archived: boolean().notNull(),
    body: text().notNull(),
    /** A hash of all that is published of the session: its body, messages, parts and side files. */
    hash: text().notNull(),
    /**
     * The session's version in the machine's own index when it was published, opaque. While it is the same the machine need not read the
     * session again. `null` if the index could not tell.
     */
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
    /** A hash of the message with its parts, so that a push sends only what changed. */
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

/** The side files of a session: `todo` and `session_diff`. Shares are secrets and are never published. */
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
 * The searchable texts: one row for each message with texts, or several if they are long. `postgres/texts.ts` makes them. Every term of
 * up to `LONGEST_TERM` letters in a message is whole in one of its rows.
 */
export const texts = fleet.table(
  "text",
  {
    ...ofMessage,
    piece: integer().notNull(),
    /** Whether this row has all of the message's texts, so that all terms of a query must be in it. */
    whole: boolean().notNull(),
    /** The message's time again, so that a search goes through the rows newest first. */
    created: doublePrecision().notNull(),
    role: name(),
    /** The texts, folded, with `TEXT_END` between them. */
    folded: text().notNull(),
    /** Grams of one and two characters with one beyond ASCII: pg_trgm indexes no short terms, and in many locales no such characters. */
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

/** Tombstones of copies that a machine took back, so that readers that follow the numbers learn of it. */
export const removals = fleet.table(
  "removal",
  { machine: machine(), session: name().notNull(), sequence: bigint({ mode: "number" }).notNull() },
  (table) => [
    primaryKey({ columns: [table.machine, table.session] }),
    index("removal_sequence").on(table.sequence),
  ],
)

/** Sessions that were removed for all machines and that no push brings back. */
export const forgotten = fleet.table("forgotten", {
  session: name().primaryKey(),
  at: timestamp({ withTimezone: true }).notNull().defaultNow(),
})
