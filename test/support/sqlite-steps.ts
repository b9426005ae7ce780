import { Database, type Statement } from "bun:sqlite"

/** What is told of the use of SQLite; what either throws keeps the statement from being run, or its caller from hearing of it. */
export interface SqliteSteps {
  /** Before and after each statement that is run without asking for rows: whatever changes something, BEGIN and COMMIT among them. */
  step(database: Database): void
  /** Before every use of a database. */
  use?(database: Database): void
  /** Whether a database may be closed. */
  mayClose?(database: Database): boolean
}

const ASKING = ["all", "get", "values", "iterate", "raw"] as const

/** Calls `step` before and after each statement that is run without asking for rows; or as `SqliteSteps` says. */
export function stepThroughSqlite(steps: SqliteSteps | (() => void)): void {
  const {
    step,
    use = () => {},
    mayClose = () => true,
  } = typeof steps === "function" ? { step: steps } : steps
  const known = new WeakSet<Statement>()
  // A statement has its own `run`, so each is taken hold of as it is made.
  const hold = (database: Database, statement: Statement): Statement => {
    if (known.has(statement)) return statement
    known.add(statement)
    const run = statement.run.bind(statement)
    statement.run = ((...parameters: never[]) => {
      use(database)
      step(database)
      const result = run(...parameters)
      step(database)
      return result
    }) as typeof statement.run
    for (const name of ASKING) {
      const ask: (...parameters: never[]) => unknown = statement[name].bind(statement)
      Object.defineProperty(statement, name, {
        value: (...parameters: never[]) => {
          use(database)
          return ask(...parameters)
        },
      })
    }
    return statement
  }
  const { query, prepare, run, close } = Database.prototype
  Database.prototype.query = function (this: Database, text: string) {
    use(this)
    return hold(this, query.call(this, text))
  } as typeof query
  Database.prototype.prepare = function (this: Database, text: string) {
    use(this)
    return hold(this, prepare.call(this, text))
  } as typeof prepare
  Database.prototype.run = function (this: Database, ...args: Parameters<typeof run>) {
    use(this)
    step(this)
    const result = run.apply(this, args)
    step(this)
    return result
  } as typeof run
  Database.prototype.close = function (this: Database, ...args: Parameters<typeof close>) {
    if (mayClose(this)) close.apply(this, args)
  }
}
