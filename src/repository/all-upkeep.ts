import type { Problem } from "../root/problem-log.ts"
import type { Root } from "../root/root.ts"
import type { Endable, Orphan } from "../root/upkeep.ts"
import type { VerifyOptions, VerifyResult } from "../root/verify-result.ts"
import { type IndexOptions, NOTHING_WALKED, type WalkResult } from "../root/walk-result.ts"

/** Brings the indexes of all roots up to date, one after another, and adds up the results. @throws as `Upkeep.index` */
export function indexAll(roots: readonly Root[], options: IndexOptions): Promise<WalkResult> {
  return walkAll(roots, options, ({ upkeep }, each) => upkeep.index(each))
}

/** As `indexAll`, but reads every record again. @throws as `Upkeep.index` */
export function rebuildAll(roots: readonly Root[], options: IndexOptions): Promise<WalkResult> {
  return walkAll(roots, options, ({ upkeep }, each) => upkeep.rebuild(each))
}

async function walkAll(
  roots: readonly Root[],
  { onProgress, ...options }: IndexOptions,
  work: (root: Root, options: IndexOptions) => Promise<WalkResult>,
): Promise<WalkResult> {
  let sum: WalkResult = NOTHING_WALKED
  for (const root of roots) {
    const { read } = sum
    const result = await work(root, {
      ...options,
      onProgress: onProgress && ((progress) => onProgress({ ...progress, read: read + progress.read })),
    })
    sum = {
      sessions: sum.sessions + result.sessions,
      messages: sum.messages + result.messages,
      parts: sum.parts + result.parts,
      read: read + result.read,
      unreadable: [...sum.unreadable, ...result.unreadable],
      elapsedMs: sum.elapsedMs + result.elapsedMs,
      textsMs: sum.textsMs + result.textsMs,
    }
  }
  return sum
}

/** Compares the indexes of all roots with their records, and joins the results. @throws as `Upkeep.verify` */
export async function verifyAll(roots: readonly Root[], options: VerifyOptions): Promise<VerifyResult> {
  const results: VerifyResult[] = []
  for (const { upkeep } of roots) results.push(await upkeep.verify(options))
  const sum = (of: (result: VerifyResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    ok: results.every(({ ok }) => ok),
    checked: {
      sessions: sum(({ checked }) => checked.sessions),
      messages: sum(({ checked }) => checked.messages),
      parts: sum(({ checked }) => checked.parts),
    },
    differences: results.flatMap(({ differences }) => differences),
    duplicates: results.flatMap(({ duplicates }) => duplicates),
  }
}

/** Yields what cannot be read, root by root. */
export async function* problemsOfAll(roots: readonly Root[], options: Endable): AsyncGenerator<Problem> {
  for (const { upkeep } of roots) yield* upkeep.problems(options)
}

/** Yields orphans, root by root; all except the first root's have an `origin`. */
export async function* orphansOfAll(roots: readonly Root[], options: Endable): AsyncGenerator<Orphan> {
  for (const [at, { place, upkeep }] of roots.entries())
    for await (const orphan of upkeep.orphans(options)) yield at === 0 ? orphan : { ...orphan, origin: place }
}
