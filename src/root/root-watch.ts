/** How a watch is doing. */
export interface WatchHealth {
  /** `sweeping`: not every folder can be watched, so everything is looked at from time to time. */
  readonly state: "off" | "starting" | "watching" | "sweeping" | "stopped"
  /** How many folders are watched. */
  readonly folders: number
  /** Why not all folders are watched. */
  readonly reason?: string | undefined
}

/** A watch on a root beside the store's own folder. */
export interface RootWatch {
  /** Resolves when the watch is set up; every change after that is told. */
  readonly ready: Promise<void>
  health(): WatchHealth
  /** Ends the watch; resolves when none of its work runs any more. */
  stop(): Promise<void>
}
