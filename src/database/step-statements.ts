import { sql } from "drizzle-orm"
import { KNOWN_BYTES } from "../file/stamp.ts"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { parts } from "./schema.ts"
import { soundNumber } from "./sound.ts"

/** Prepared statements that tell, from the rows of parts, how many steps end in a message. */
export class StepStatements {
  readonly #maybeSeveral

  constructor(db: Drizzle) {
    const { directory, type, stamp, problem } = parts
    const ends = sql`${type} = 'step-finish'`
    const untold = sql`${stamp} is null or length(${stamp}) <> ${sql.raw(String(KNOWN_BYTES))} or ${problem} is not null`
    this.#maybeSeveral = db
      .select({ directory })
      .from(parts)
      .where(amongst(directory, "directories"))
      .groupBy(directory)
      .having(sql`total(${ends}) > 1 or total(${untold}) > 0`)
      .prepare()
  }

  /** Those of these folders of parts in which more than one step ends, or some of whose rows cannot tell. */
  maybeSeveral(directories: readonly number[]): Set<number> {
    const rows = this.#maybeSeveral.values({ directories: JSON.stringify(directories) })
    return new Set(rows.map(([directory]) => soundNumber("directory", directory)))
  }
}
