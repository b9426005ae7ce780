import type { JsonObject } from "../../record/extract.ts"

/** Where a line lies: which of its container's files, its first byte there, its length in bytes without the line's end. */
export type Span = readonly [file: number, offset: number, length: number]

/** One line of a transcript, whatever it says. */
export interface Line {
  readonly value: unknown
  readonly span: Span
}

/** What an agent's folder says of a file by its name alone: that it holds a session, or belongs to one that does. */
export interface ContainerName {
  /** What the container is called: files of the same name are one container, read one after the other. */
  readonly name: string
  /** Where several files are of one container: the lower is read first. */
  readonly rank: number
  /** How it is written: a JSON value a line, or one JSON object with an array `messages`, whose elements are taken for lines. */
  readonly form: "lines" | "object"
  /** The session's id, where the file's name tells it. */
  readonly session?: string | undefined
  /**
   * What the ids of all its sessions begin with, where its name tells that, so that it need not be read to know that a session is not in it;
   * by default `session`. Where neither is given they may be any.
   */
  readonly prefixes?: readonly string[] | undefined
  /** The session whose child it is, where its place tells that. */
  readonly parent?: string | undefined
  readonly archived?: boolean | undefined
}

/** Small files beside the transcripts, as those that hold names that a person gave. */
export interface Sides {
  /** The text of a file, by its path below the root's place; `undefined` where there is none that can be read, or it is over 16 MiB. */
  text(path: string): string | undefined
}

/** What a transcript says of one message, without what it says in it. */
export interface OutlinedMessage {
  /** Unlike any other of its session, and the same whenever the same lines are read. */
  readonly id: string
  /** By its own line's time, ms since 1970; 0 where it has none. */
  readonly created: number
  readonly role: "user" | "assistant"
  /** Every line that it is made of, in the order in which `message` wants them. */
  readonly spans: readonly Span[]
  /** What else `message` needs to know, from lines before or after these: small, and plain JSON. */
  readonly about?: JsonObject | undefined
}

/** What a transcript says of one session. */
export interface OutlinedSession {
  readonly id: string
  readonly parentID?: string | undefined
  /** As the agent shows it, else the person's first words; `undefined` where nobody said anything yet. */
  readonly title?: string | undefined
  /** The work tree it ran in. */
  readonly directory?: string | undefined
  /** The agent's release. */
  readonly version?: string | undefined
  /** Of the first and newest line that has a time, ms since 1970; 0 where none has. */
  readonly created: number
  readonly updated: number
  /** What else its body says: `metadata`, and the like. */
  readonly body?: JsonObject | undefined
  /** In the order in which the agent would show them. */
  readonly messages: readonly OutlinedMessage[]
}

/** A message as our records say it: parts without `id`, `sessionID` and `messageID`, which they get of their place. */
export interface TranscriptMessage {
  /** Without `id` and `sessionID`; a `parentID` is another message's id as the transcript has it. */
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/** Told how many more lines were laid out. */
export type OnLaid = (lines: number) => void

/**
 * What a transcript says so far. It takes in one line after another, and says the same whether it took them in at once, or was
 * stopped in between, kept as its state, and begun again.
 */
export interface Fold {
  /** Takes in a line. Never throws, whatever it says. */
  add(line: Line): void
  /**
   * What the lines say: the container's session, then its child sessions. Nothing where they say of none. Lines that are added later
   * change nothing in it. Never throws.
   * @param onLaid told how many lines were laid out since it was told last: what they left behind can be collected
   */
  outline(sides: Sides, onLaid?: OnLaid): readonly OutlinedSession[]
  /** Lets go of what only makes its next outline cost less. */
  forget?(): void
  /** Everything that it knows, as plain JSON. It is written down before another line is added. */
  state(): unknown
}

/** The part of another session that comes before a container's own lines. */
export interface Base {
  readonly session: string
  /** How many bytes of its file. */
  readonly bytes: number
}

/** An agent that keeps a transcript a session: where it lies, and how its lines become our records. */
export interface TranscriptAgent {
  /** Its name beside a record, as `codex`. */
  readonly source: string
  /** Grows with every change to what its folds say, so that nothing older is gone on with. */
  readonly version: number
  /** Where it keeps its history, by environment variables, else by default; several where releases differ. */
  places(environment: Readonly<Record<string, string | undefined>>, home: string): readonly string[]
  /** Folders below the place that hold transcripts; others are not looked into. */
  readonly folders: readonly string[]
  /** What a file is, by its path below the place, parts divided by `/`, without the `.zst` of a compressed one; `undefined` for none of its transcripts. */
  container(path: string): ContainerName | undefined
  /**
   * Begins a transcript, or goes on with one.
   * @param state as `state()` gave it
   */
  fold(container: ContainerName, state?: unknown): Fold
  /** What has to be read before a container, by its own first line. */
  base?(first: unknown): Base | undefined
  /** Tells by its bytes that a line is bookkeeping, so that it need not be parsed. May be wrong one way: what it does not tell is parsed. */
  isBookkeeping?(line: Uint8Array): boolean
  /**
   * What a message says.
   * @param lines its spans' values, in their order; `undefined` for one that cannot be read any more
   */
  message(message: OutlinedMessage, lines: readonly unknown[]): TranscriptMessage
}
