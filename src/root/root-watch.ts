/** How a watch is doing. */
export interface WatchHealth {
  /** `sweeping`: not every folder can be watched, so everything is looked at now and then. */
  readonly state: "off" | "starting" | "watching" | "sweeping" | "stopped"
  /** Folders that are watched. */
  readonly folders: number
  /** Why not all are. */
  readonly reason?: string | undefined
}

/** A watch on a root that is only read. */
export interface RootWatch {
  /** Resolves when every change from then on will be told. */
  readonly ready: Promise<void>
  health(): WatchHealth
  /** Ends it; resolves when nothing of it runs any more. */
  stop(): Promise<void>
}
