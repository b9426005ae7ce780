/** How to read a fleet's database. */
export interface PostgresOptions {
  /** The id of this machine: among copies of a session that are equally new its own counts. */
  readonly machine?: string | undefined
  /** Give up a question after so many ms. Default 60,000. */
  readonly timeout?: number | undefined
}
