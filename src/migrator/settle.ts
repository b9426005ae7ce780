import type { Statements } from "../database/statements.ts"
import type { Place } from "../file/layout.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { type Pass, type Reconciler, reconcile, Unsettled } from "./reconcile.ts"

const MAX_ROUNDS = 4

/**
 * Reconciles folders until one round finds every row equal to its file.
 *
 * Then all rows were current together at the moment that round began: each was read before it, and had the same stamp
 * after it. So an answer taken from these rows, at these generations, equals the files at that moment, however many
 * other programs write. The argument in full stands in ARCHITECTURE.md.
 *
 * @param places gives the folders; asked in every round, since folders come and go
 * @throws as `reconcile`
 */
export async function settle(
  within: Reconciler,
  places: () => readonly Place[],
  signal?: AbortSignal,
): Promise<readonly Pass[]> {
  const slice = new TimeSlice(signal)
  const own = new Map<string, number | undefined>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const passes: Pass[] = []
    for (const place of places()) {
      const pass = await reconcile(within, place, { slice, ownGeneration: own.get(place.folder) })
      if (!pass.clean) own.set(place.folder, pass.row?.generation)
      passes.push(pass)
    }
    if (passes.every(({ clean }) => clean)) return passes
  }
  throw new Unsettled("The folders went on changing")
}

/** Tells whether the rows of these folders are still those that were settled. */
export function isStill(statements: Statements, passes: readonly Pass[]): boolean {
  return passes.every(({ place, row }) => {
    const current = statements.directories.find(place)
    return current?.id === row?.id && current?.generation === row?.generation
  })
}
