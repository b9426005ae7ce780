/** How to read a fleet's database. */
export interface PostgresOptions {
  /** The id of this machine. Among equally new copies of a session its own counts. */
  readonly machine?: string | undefined
  /** How long to wait for a query, in ms. Default 60,000. */
  readonly timeout?: number | undefined
}
