import { Database, type Statement } from "bun:sqlite"

/**
 * Calls `step` before and after each statement that is run without asking for rows: whatever changes something, BEGIN and
 * COMMIT among them. A statement has its own `run`, so each is taken hold of as it is made.
 */
export function stepThroughSqlite(step: () => void): void {
  const known = new WeakSet<Statement>()
  const hold = (statement: Statement): Statement => {
    if (known.has(statement)) return statement
    known.add(statement)
    const run = statement.run.bind(statement)
    statement.run = ((...parameters: never[]) => {
      step()
      const result = run(...parameters)
      step()
      return result
    }) as typeof statement.run
    return statement
  }
  const query = Database.prototype.query
  Database.prototype.query = function (this: Database, text: string) {
    return hold(query.call(this, text))
  } as typeof query
  const prepare = Database.prototype.prepare
  Database.prototype.prepare = function (this: Database, text: string) {
    return hold(prepare.call(this, text))
  } as typeof prepare
  const run = Database.prototype.run
  Database.prototype.run = function (this: Database, ...args: Parameters<typeof run>) {
    step()
    const result = run.apply(this, args)
    step()
    return result
  } as typeof run
}
