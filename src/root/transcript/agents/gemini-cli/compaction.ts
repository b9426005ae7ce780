import type { JsonObject } from "../../../../record/extract.ts"
import { isAcknowledgement, isFrame, piecesOf, spokenText } from "./content.ts"

/**
 * Where a list of messages begins with a summary of all that was said before, made by the agent: a user's message that is new, and
 * the model's made answer to it. The same words follow the agent's own frame in some releases, which is no summary.
 * Proof: `compacted.jsonl`, written by 0.61 when a model said that its context was nearly full.
 * @returns the summary's place, `undefined` where there is none
 */
export function compactionIn(
  list: readonly (readonly [id: string, record: JsonObject, at: number])[],
  isKnown: (id: string) => boolean,
): number | undefined {
  const at = list.findIndex(([id, record], place) => {
    const answer = list[place + 1]?.[1]
    return (
      record.type === "user" &&
      answer?.type === "gemini" &&
      !isKnown(id) &&
      isAcknowledgement(textOf(answer)) &&
      !isFrame(textOf(record))
    )
  })
  return at < 0 ? undefined : at
}

/**
 * What a compaction keeps of the newest messages it gives as copies with new ids, later times, and without tokens and thoughts.
 * @param marks of what follows the summary, in order
 * @param shown what was shown before, in order
 * @returns which message each is a copy of
 */
export function copiesIn(
  marks: readonly { readonly id: string; readonly mark: string }[],
  shown: readonly { readonly id: string; readonly mark: string }[],
): ReadonlyMap<string, string> {
  const places = Map.groupBy(shown.keys(), (at) => shown[at]?.mark)
  const copies = new Map<string, string>()
  let end = shown.length
  for (const { id, mark } of marks.toReversed()) {
    const same = places.get(mark) ?? []
    while ((same.at(-1) ?? -1) >= end) same.pop()
    const at = same.pop()
    const original = at === undefined ? undefined : shown[at]
    if (at === undefined || !original) continue
    end = at
    if (original.id !== id) copies.set(id, original.id)
  }
  return copies
}

function textOf({ content }: JsonObject): string {
  // Of a long text nobody needs to know whether it is two words.
  const [first] = piecesOf(content).flatMap((piece) => spokenText(piece) ?? [])
  return first ?? ""
}
