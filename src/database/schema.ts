import { isNotNull, isNull, sql } from "drizzle-orm"
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core"
import { bytes, value } from "./sound.ts"

/**
 * The schema of the index. It holds what finding, ordering, filtering and counting need, and for each row the version of the file that it
 * was read from. Everything can be made again from the files, so no column is precious.
 *
 * A row of `directories` is one folder of records (a project's sessions, a session's messages, a message's parts). A row of `sessions`,
 * `messages` or `parts` is one record file in such a folder, readable or not: `problem` says why not.
 */
export const directories = sqliteTable(
  "directories",
  {
    /** Never reused, so that (id, generation) identifies one state of one folder for ever. */
    id: integer().primaryKey({ autoIncrement: true }),
    kind: text({ enum: ["session", "message", "part"] }).notNull(),
    /** The owner's id, which is the folder's name. */
    name: text().notNull(),
    /** The stamp under which all names were read; `null`, or a stamp marked as unknown, if nothing proves them. */
    stamp: bytes(),
    size: integer().notNull().default(0),
    /** Incremented with every change of the folder's rows. */
    generation: integer().notNull().default(0),
    /** How many record files the folder held under that stamp. */
    entries: integer().notNull().default(0),
  },
  (table) => [uniqueIndex("directories_place").on(table.kind, table.name)],
)

const file = {
  /** Stays the same as long as the row exists; the full-text tables refer to it. */
  row: integer().primaryKey(),
  directory: integer()
    .notNull()
    .references(() => directories.id, { onDelete: "cascade" }),
  /** The record's id, from its file name. */
  id: text().notNull(),
  stamp: bytes(),
  /** The file's size, in bytes. */
  size: integer().notNull(),
  /** A `StoreErrorCode` if the file could not be read; `problemMessage` says what was wrong. */
  problem: text(),
  problemMessage: text(),
}

export const sessions = sqliteTable(
  "sessions",
  {
    ...file,
    /** The name of its directory again. If one id lies in two projects with the same time, the last project by name counts. */
    project: text().notNull(),
    created: real().notNull(),
    updated: real().notNull(),
    parent: text(),
    /** The work tree the session ran in. */
    worktree: text(),
    title: text(),
    /** The title, folded for searching: `record/fold.ts`. */
    folded: text(),
    archived: integer({ mode: "boolean" }).notNull(),
    /** The file's text if it is short, so that a page need not read every file. As trustworthy as the row's stamp. */
    body: text(),
    /** The mark of the declaration whose fields `session_fields` holds for this row; `null` if it holds none. */
    fields: text(),
  },
  (table) => [
    uniqueIndex("sessions_place").on(table.directory, table.id),
    index("sessions_id").on(table.id, table.updated),
    index("sessions_updated").on(table.updated, table.id, table.project),
    index("sessions_created").on(table.created, table.id, table.project),
    index("sessions_project_updated").on(table.project, table.updated, table.id),
    index("sessions_project_created").on(table.project, table.created, table.id),
    index("sessions_parent_updated").on(table.parent, table.updated, table.id, table.project),
    index("sessions_parent_created").on(table.parent, table.created, table.id, table.project),
    index("sessions_problem").on(table.directory, table.id).where(isNotNull(table.problem)),
  ],
)

/**
 * The values of declared fields: for each row of `sessions` those of the declaration that its `fields` names, and no others. A trigger
 * deletes them when `fields` changes. The table has no rowid, so that a value is found in one step.
 */
export const sessionFields = sqliteTable(
  "session_fields",
  {
    row: integer()
      .notNull()
      .references(() => sessions.row, { onDelete: "cascade" }),
    name: text().notNull(),
    /** `-Infinity` if the value is missing. */
    value: value().notNull(),
    /** The session's id and, below, its project again, for the order of listings. */
    id: text().notNull(),
    project: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.row, table.name] }),
    index("session_fields_value").on(table.name, table.value, table.id),
    index("session_fields_project").on(table.name, table.project, table.value, table.id),
  ],
)

export const messages = sqliteTable(
  "messages",
  {
    ...file,
    created: real().notNull(),
    role: text(),
    /**
     * 0 if the full-text index holds this message's texts. Otherwise a number that is new with every change: an even one if the message is
     * known to have no texts of its own, so that the texts of its parts are all; else an odd one.
     */
    pending: integer().notNull(),
  },
  (table) => [
    uniqueIndex("messages_place").on(table.directory, table.id),
    index("messages_created").on(table.directory, table.created, table.id).where(isNull(table.problem)),
    index("messages_id").on(table.id),
    index("messages_pending").on(table.created, table.id).where(sql`${table.pending} <> 0`),
    index("messages_problem").on(table.directory, table.id).where(isNotNull(table.problem)),
  ],
)

export const parts = sqliteTable("parts", { ...file, type: text(), tool: text() }, (table) => [
  uniqueIndex("parts_place").on(table.directory, table.id),
  index("parts_id").on(table.id),
  index("parts_problem").on(table.directory, table.id).where(isNotNull(table.problem)),
])

/**
 * Which document of the full-text table `texts` holds a message's texts. Ids follow the messages' seconds of creation, so that matches
 * in descending order of ids are newest first.
 */
export const documents = sqliteTable(
  "documents",
  {
    id: integer().primaryKey(),
    message: integer()
      .notNull()
      .references(() => messages.row, { onDelete: "cascade" }),
  },
  (table) => [uniqueIndex("documents_message").on(table.message)],
)

/** A container as it was when it was read: the transcript file, or few files, of a session and its children. */
export const containers = sqliteTable(
  "containers",
  {
    row: integer().primaryKey({ autoIncrement: true }),
    /** The folder below the root's place and, in `name`, the container's name in it. */
    folder: text().notNull(),
    name: text().notNull(),
    /** The stats of its own files; `null` while its rows are being put, or if no stat can be trusted yet. */
    look: bytes(),
    /** How far each file was read, as JSON. */
    marks: text().notNull(),
    /** The small files beside it that were read, with their stats, as JSON. */
    sides: text().notNull(),
    /** The version of the code that made its rows. */
    format: integer().notNull(),
    /** The lines that could not be read, as JSON. */
    problems: text().notNull(),
  },
  (table) => [uniqueIndex("containers_place").on(table.folder, table.name)],
)

/** Checkpoints of containers, from which reading goes on when lines are appended. A container without one is read from its beginning. */
export const containerStates = sqliteTable("container_states", {
  container: integer()
    .primaryKey()
    .references(() => containers.row, { onDelete: "cascade" }),
  /** How far the container was read for the saved state, which may be less far than for its rows. As JSON. */
  checkpoint: text().notNull(),
})

/**
 * The saved state of reading a container, as pieces of one JSON text. A large container's state has megabytes, and a writer has to hold
 * only one piece at a time.
 */
export const statePieces = sqliteTable(
  "state_pieces",
  {
    container: integer()
      .notNull()
      .references(() => containerStates.container, { onDelete: "cascade" }),
    at: integer().notNull(),
    piece: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.container, table.at] })],
)

/** Which sessions a container holds. A session in several containers is read from the one with the newest copy. */
export const containerSessions = sqliteTable(
  "container_sessions",
  {
    container: integer()
      .notNull()
      .references(() => containers.row, { onDelete: "cascade" }),
    id: text().notNull(),
    project: text().notNull(),
    updated: real().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.container, table.id] }),
    index("container_sessions_id").on(table.id, table.updated),
  ],
)

/** Where the lines of a message lie in its container. */
export const messagePlaces = sqliteTable(
  "message_places",
  {
    directory: integer()
      .notNull()
      .references(() => directories.id, { onDelete: "cascade" }),
    id: text().notNull(),
    container: integer().notNull(),
    /** A `PlacedMessage`, as JSON. */
    place: text().notNull(),
    /** How many parts it has; `null` until they are counted. */
    parts: integer(),
  },
  (table) => [
    primaryKey({ columns: [table.directory, table.id] }),
    index("message_places_id").on(table.id),
    index("message_places_uncounted").on(table.directory, table.id).where(isNull(table.parts)),
  ],
)
