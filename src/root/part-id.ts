/** Enough digits for a hundred thousand pieces of one message, so that their ids sort in order. */
const DIGITS = 5
const FORM = /^prt_(.+)_(\d{5,})$/

/** Makes the id of a piece of content that has none, from its message's id and its place there. So the id never changes. */
export function partIdOf(messageID: string, at: number): string {
  return `prt_${messageID}_${String(at).padStart(DIGITS, "0")}`
}

/** The message's id in an id that `partIdOf` made, or `undefined` for any other id. */
export function messageOfPartId(id: string): string | undefined {
  return FORM.exec(id)?.[1]
}
