import type { Statements } from "../database/statements.ts"
import type { Place } from "../record/kind.ts"
import { TimeSlice } from "../time-slice.ts"
import type { Pass } from "./directory-pass.ts"
import { placeName, type Reconciler, reconcile, Unsettled } from "./reconcile.ts"

const MAX_ROUNDS = 4

/**
 * Reconciles folders until one round finds nothing to do.
 *
 * Then all rows were current together at the moment that round began: each was read before it, and in it the file had the same stamp or,
 * if the stamp is not proven yet, the same content. So an answer from these rows, at these generations, equals the files at that moment,
 * however many other programs write. ARCHITECTURE.md has the full argument.
 *
 * @param places returns the folders, including all that the index has rows of; called in every round, since folders come and go
 * @throws as `reconcile`
 */
export async function settle(
  within: Reconciler,
  places: () => Promise<readonly Place[]>,
  signal?: AbortSignal,
): Promise<readonly Pass[]> {
  const slice = new TimeSlice(signal)
  const earlier = new Map<string, Pass>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const passes = await reconcile(within, await places(), { slice, earlier })
    if (passes.every(({ clean }) => clean)) return passes
    for (const pass of passes) earlier.set(placeName(pass.place), pass)
  }
  throw new Unsettled("The folders went on changing")
}

/** Whether the rows of these folders are still those that were settled. */
export function isStill(statements: Statements, passes: readonly Pick<Pass, "place" | "row">[]): boolean {
  return passes.every(({ place, row }) => {
    const current = statements.directories.find(place)
    return current?.id === row?.id && current?.generation === row?.generation
  })
}
