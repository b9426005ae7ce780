import { isNotNull, isNull, sql } from "drizzle-orm"
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core"
import { bytes, value } from "./sound.ts"

/**
 * The index. It holds what finding, ordering, filtering and counting need, and of which version of which file each row
 * speaks. Everything in it can be made again from the files, so no column is precious.
 *
 * One row of `directories` is one folder of records (a project's sessions, a session's messages, a message's parts);
 * one row of the other tables is one record file in such a folder, readable or not: `problem` says why not.
 */
export const directories = sqliteTable(
  "directories",
  {
    /** Never used twice, so that (id, generation) names one state of one folder for ever. */
    id: integer().primaryKey({ autoIncrement: true }),
    kind: text({ enum: ["session", "message", "part"] }).notNull(),
    /** The owner's id, which is the folder's name. */
    name: text().notNull(),
    /** The stamp under which all names were read; `null` or a marked one where that is not known. */
    stamp: bytes(),
    size: integer().notNull().default(0),
    /** Grows with every change to the folder's rows. */
    generation: integer().notNull().default(0),
    /** How many record files the folder held under that stamp. */
    entries: integer().notNull().default(0),
  },
  (table) => [uniqueIndex("directories_place").on(table.kind, table.name)],
)

const file = {
  /** Stays the same for as long as the row is there; the full-text tables go by it. */
  row: integer().primaryKey(),
  directory: integer()
    .notNull()
    .references(() => directories.id, { onDelete: "cascade" }),
  /** The record's id, from its file name. */
  id: text().notNull(),
  stamp: bytes(),
  /** Of the file, in bytes. */
  size: integer().notNull(),
  /** A `StoreErrorCode` where the file could not be read, and what was wrong. */
  problem: text(),
  problemMessage: text(),
}

export const sessions = sqliteTable(
  "sessions",
  {
    ...file,
    /** The name of its directory again: the last word where one id lies in two projects. */
    project: text().notNull(),
    created: real().notNull(),
    updated: real().notNull(),
    parent: text(),
    /** The work tree the session ran in. */
    worktree: text(),
    title: text(),
    /** The title as it is searched: `record/fold.ts`. */
    folded: text(),
    archived: integer({ mode: "boolean" }).notNull(),
    /** The file's text where it is short, so that a page need not read every file; as good as the row's stamp. */
    body: text(),
    /** The mark of the declaration whose fields `session_fields` holds of this row; `null` where it holds none. */
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
 * The declared fields of sessions: of each row of `sessions` those of the declaration that its `fields` names, and no others. A
 * trigger takes them away where that becomes another one. Without a rowid, so that a value is found in one step.
 */
export const sessionFields = sqliteTable(
  "session_fields",
  {
    row: integer()
      .notNull()
      .references(() => sessions.row, { onDelete: "cascade" }),
    name: text().notNull(),
    /** `-Infinity` where it is missing. */
    value: value().notNull(),
    /** Those of the session again, for the order of listings and of those of one project. */
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
     * 0 where the full-text index holds this message's texts; otherwise a number that is new with every change, even where the message is
     * known to have no texts of its own, so that those of its parts are all.
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
 * Which document of the full-text table `texts` a message has. Ids follow the message's second of creation, so that reading
 * matches by id from the last one gives the newest first.
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

/** A container of transcripts, as it was when it was read: one file or more that tell of a session and of its children. */
export const containers = sqliteTable(
  "containers",
  {
    row: integer().primaryKey({ autoIncrement: true }),
    /** The folder below the root's place, and the container's name in it. */
    folder: text().notNull(),
    name: text().notNull(),
    /** The looks of its own files; `null` while its rows are put, or where no look can be trusted yet. */
    look: bytes(),
    /** Which files were read how far: JSON. */
    marks: text().notNull(),
    /** The small files beside it that were read, with their looks: JSON. */
    sides: text().notNull(),
    /** The version of what made its rows. */
    format: integer().notNull(),
    /** Lines that could not be read: JSON. */
    problems: text().notNull(),
  },
  (table) => [uniqueIndex("containers_place").on(table.folder, table.name)],
)

/** Containers that can be gone on with where lines are appended; where there is nothing to go on with everything is read anew. */
export const containerStates = sqliteTable("container_states", {
  container: integer()
    .primaryKey()
    .references(() => containers.row, { onDelete: "cascade" }),
  /** How far the container was read for what goes on with it, which may be less than its rows were: JSON. */
  checkpoint: text().notNull(),
})

/**
 * What goes on with a container, as the pieces of one JSON text: a large container has megabytes of it, of which who writes them has to hold
 * but one at a time.
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

/** Which sessions a container holds; one that several hold is read from the newest. */
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

/** Where the lines of a message lie. */
export const messagePlaces = sqliteTable(
  "message_places",
  {
    directory: integer()
      .notNull()
      .references(() => directories.id, { onDelete: "cascade" }),
    id: text().notNull(),
    container: integer().notNull(),
    /** JSON: `PlacedMessage`. */
    place: text().notNull(),
    /** How many parts it has; `null` until it is read. */
    parts: integer(),
  },
  (table) => [
    primaryKey({ columns: [table.directory, table.id] }),
    index("message_places_id").on(table.id),
    index("message_places_uncounted").on(table.directory, table.id).where(isNull(table.parts)),
  ],
)
