/** Wide enough for a hundred thousand pieces of one message, so that ids sort as the pieces lie. */
const DIGITS = 5
const FORM = /^prt_(.+)_(\d{5,})$/

/** The id of a piece of content that has none of its own: made of its message's and of its place, so it stays the same. */
export function partIdOf(messageID: string, at: number): string {
  return `prt_${messageID}_${String(at).padStart(DIGITS, "0")}`
}

/** The message that a made id tells of, or `undefined` for any other id. */
export function messageOfPartId(id: string): string | undefined {
  return FORM.exec(id)?.[1]
}
