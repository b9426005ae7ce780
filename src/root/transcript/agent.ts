import type { JsonObject } from "../../record/extract.ts"

/** The place of a line: the number of the file in its container, its first byte, and its length in bytes without the line end. */
export type Span = readonly [file: number, offset: number, length: number]

/** One line of a transcript. */
export interface Line {
  readonly value: unknown
  readonly span: Span
}

/** What the name of a file alone tells: which container it belongs to, and of which session. */
export interface ContainerName {
  /** The container's name: files of the same name are one container and are read one after the other. */
  readonly name: string
  /** The order of the files of one container: the lowest is read first. */
  readonly rank: number
  /** The format: one JSON value per line, or one JSON object with an array `messages` whose elements count as lines. */
  readonly form: "lines" | "object"
  /** The session's id, where the file's name tells it. */
  readonly session?: string | undefined
  /**
   * What the ids of all its sessions begin with; by default `session`. A session with another id is not looked for in it. Without
   * either, its sessions may have any id.
   */
  readonly prefixes?: readonly string[] | undefined
  /** The parent session, where the file's place tells it. */
  readonly parent?: string | undefined
  readonly archived?: boolean | undefined
}

/** Small files beside the transcripts, such as those with names that a person gave to sessions. */
export interface Sides {
  /** The text of a file, by its path below the root's place; `undefined` where it is missing, cannot be read, or is over 16 MiB. */
  text(path: string): string | undefined
}

/** A message without its content: its id, time and role, and where its lines are. */
export interface OutlinedMessage {
  /** Unique in its session, and the same whenever the same lines are read. */
  readonly id: string
  /** The time of its first line, ms since 1970; 0 where it has none. */
  readonly created: number
  readonly role: "user" | "assistant"
  /** All its lines, in the order that `message` expects. */
  readonly spans: readonly Span[]
  /** What else `message` needs from other lines: small, plain JSON. */
  readonly about?: JsonObject | undefined
}

/** A session with its messages, without their content. */
export interface OutlinedSession {
  readonly id: string
  readonly parentID?: string | undefined
  /** The title that the agent shows, else the person's first words; `undefined` where nothing was said yet. */
  readonly title?: string | undefined
  /** The work tree it ran in. */
  readonly directory?: string | undefined
  /** The agent's release. */
  readonly version?: string | undefined
  /** The times of the first and the newest line that have one, ms since 1970; 0 where none has. */
  readonly created: number
  readonly updated: number
  /** Further fields of its body, such as `metadata`. */
  readonly body?: JsonObject | undefined
  /** In the order in which the agent shows them. */
  readonly messages: readonly OutlinedMessage[]
}

/** A message as our records have it, but for the ids of its parts: those follow from their place. */
export interface TranscriptMessage {
  /** Without `id` and `sessionID`. A `parentID` is the other message's id in the transcript. */
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/** Told how many more lines were laid out. */
export type OnLaid = (lines: number) => void

/**
 * The state of reading one transcript. It takes in one line after another. Whether it read all lines at once, or was stopped, saved as
 * `state()` and resumed, it gives the same outline.
 */
export interface Fold {
  /** Takes in the next line. Never throws. */
  add(line: Line): void
  /**
   * The sessions of the lines so far: the container's own, then its child sessions. Empty where there is none. Later lines do not
   * change what was returned. Never throws.
   * @param onLaid told how many lines were laid out since it was told last: what they left behind can be collected
   */
  outline(sides: Sides, onLaid?: OnLaid): readonly OutlinedSession[]
  /** Frees what only makes the next outline cheaper. */
  forget?(): void
  /** All it knows, as plain JSON. The caller writes it down before it adds another line. */
  state(): unknown
}

/** The part of another session's file that is read before a container's own lines. */
export interface Base {
  readonly session: string
  /** The length of that part, in bytes. */
  readonly bytes: number
}

/** An agent that keeps one transcript per session: where they are, and how their lines become our records. */
export interface TranscriptAgent {
  /** The name of the source, such as `codex`. */
  readonly source: string
  /** Raised with every change to what folds give, so that no older state or row is used. */
  readonly version: number
  /** Where it keeps its history, by environment variables, else by default; several where its releases differ. */
  places(environment: Readonly<Record<string, string | undefined>>, home: string): readonly string[]
  /** The folders below the place that hold transcripts. */
  readonly folders: readonly string[]
  /** What a file is, by its path below the place, parts divided by `/`, without the `.zst` of a compressed one; `undefined` for none of its transcripts. */
  container(path: string): ContainerName | undefined
  /**
   * Begins a transcript, or goes on with one.
   * @param state as `state()` gave it
   */
  fold(container: ContainerName, state?: unknown): Fold
  /** What is read before a container, according to its own first line. */
  base?(first: unknown): Base | undefined
  /** Whether the bytes of a line show that it is bookkeeping and need not be parsed. `false` is always safe: the line is parsed then. */
  isBookkeeping?(line: Uint8Array): boolean
  /**
   * Makes a message of its lines.
   * @param lines its spans' values, in their order; `undefined` for one that cannot be read any more
   */
  message(message: OutlinedMessage, lines: readonly unknown[]): TranscriptMessage
}
