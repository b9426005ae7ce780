import type { StoreError } from "../errors.ts"
import type { SourceFilter } from "../repository/of-source.ts"
import type { Problem } from "../root/problem-log.ts"
import type { PushChoice } from "./choice.ts"

/** What to publish, and how. */
export interface PushOptions extends PushChoice {
  /** Only sessions that are read from histories of this agent, or these. */
  source?: SourceFilter | undefined
  /** What people call this machine; kept for later pushes. Default: the name it had, at first the host's. */
  name?: string | undefined
  /** Take out keys, tokens and passwords that are known by their shape, also where they stand in longer texts. Default `true`. */
  mask?: boolean | undefined
  /**
   * Take back what is published of sessions that are not here any more. Default `false`: agents delete their histories after a while,
   * and what is published outlives them.
   */
  delete?: boolean | undefined
  /** Publish sessions as they are here, also where messages or parts that are published are missing. Default `false`. */
  force?: boolean | undefined
  /** Publish as a machine that was never there before, as on a disk that was copied. Default `false`. */
  newMachine?: boolean | undefined
  /** Change nothing, neither there nor here; yield what would be published, with what would be masked. Default `false`. */
  dryRun?: boolean | undefined
  /** Where the machine's identity is kept. Default: the store's folder. */
  machineFolder?: string | undefined
  /**
   * Go on: push again when something changed, at the latest after a minute, until the signal. What the store's own watch does not see is found
   * by looking, for at most a tenth of the time. A database that cannot be used for a while is waited for. Default `false`.
   */
  watch?: boolean | undefined
  signal?: AbortSignal | undefined
  /** With `watch`: told what each push came to, or why it could not be done and is tried again. */
  onRound?: ((result: PushResult | StoreError) => void) | undefined
  /** Told of each session that was looked at. */
  onProgress?: ((progress: PushProgress) => void) | undefined
}

/** How far a push has come. */
export interface PushProgress {
  /** Sessions looked at. */
  readonly sessions: number
  /** Records published. */
  readonly records: number
}

/** A session that was published, or with `dryRun` would be. */
export interface Pushed {
  readonly sessionID: string
  readonly projectID: string
  /** Which agent wrote it, and where it lies here. */
  readonly source: string
  readonly place: string
  readonly title: string
  /** Whether it is new there, another version of it was there, or it was taken back. */
  readonly action: "added" | "changed" | "removed"
  /** Its records that were written: itself, messages, parts, todos and diff. */
  readonly records: number
  /** What was taken out of the records that were read for it, by kind. */
  readonly masked: Readonly<Record<string, number>>
}

/** What a push came to. */
export interface PushResult {
  /** Who pushed; an id that is new to a dry run is not kept. */
  readonly machine: { readonly id: string; readonly name: string }
  /** The database, without credentials. */
  readonly fleet: string
  readonly sessions: {
    readonly added: number
    readonly changed: number
    /** Of which what is published is as it is here. */
    readonly unchanged: number
    readonly removed: number
    /** That were removed for all. */
    readonly forgotten: number
  }
  /** Records written. */
  readonly records: number
  /** What was taken out, by kind. */
  readonly masked: Readonly<Record<string, number>>
  /** Sessions that were not published, and why; the others are. They are tried again by the next push. */
  readonly left: readonly Problem[]
}
