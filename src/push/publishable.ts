import { isJsonObject, type JsonObject } from "../record/extract.ts"
import { jsonLine } from "../record/json-text.ts"
import { maskJson, type SecretCounts } from "./secrets.ts"

/** A record as it may leave the machine: its body, and that as JSON. */
export interface Publishable<Body = JsonObject> {
  readonly body: Body
  readonly text: string
}

/** Under these names lies what a provider gave encrypted, to be given back to it alone. */
const ENCRYPTED = /^(?:[A-Za-z_]*[Ee]ncrypted_?[Cc]ontent|redacted_?[Dd]ata|thought_?[Ss]ignature)$/
const MAY_BE_ENCRYPTED =
  /"(?:[A-Za-z_]*[Ee]ncrypted_?[Cc]ontent|redacted_?[Dd]ata|thought_?[Ss]ignature|signature)":/
/** What is counted where such a field is left out. */
const REASONING = "encrypted-reasoning"
const SHARE = "share"

/**
 * A record as it may leave the machine: without encrypted reasoning and, in a session, without its share; with its keys and tokens masked where
 * that is wanted. What is left out and masked is counted.
 */
export function publishable(
  kind: string,
  body: JsonObject,
  mask: boolean,
  counts: SecretCounts,
): Publishable {
  const open = withoutShare(kind, body, counts)
  const made = publishableValue(open, mask, counts)
  // Masks are put into strings, so an object stays one.
  return isJsonObject(made.body) ? { body: made.body, text: made.text } : { body: open, text: made.text }
}

/** The same of a value that need not be an object, as a list of todos. */
export function publishableValue(value: unknown, mask: boolean, counts: SecretCounts): Publishable<unknown> {
  let body = value
  let text = jsonLine(body)
  if (MAY_BE_ENCRYPTED.test(text)) {
    const copy: unknown = JSON.parse(text)
    if (leaveOutEncrypted(copy, counts)) {
      body = copy
      text = jsonLine(body)
    }
  }
  if (!mask) return { body, text }
  const masked = maskJson(text, counts)
  return masked === text ? { body, text } : { body: JSON.parse(masked), text: masked }
}

function withoutShare(kind: string, body: JsonObject, counts: SecretCounts): JsonObject {
  if (kind !== "session" || body.share === undefined) return body
  const { share: _, ...rest } = body
  count(counts, SHARE)
  return rest
}

/** Takes such fields out of a value, however deep they lie; tells whether there were any. */
function leaveOutEncrypted(value: unknown, counts: SecretCounts): boolean {
  let found = false
  const isReasoning = isJsonObject(value) && value.type === "reasoning"
  const waiting: { readonly value: unknown; readonly ofProvider: boolean }[] = [{ value, ofProvider: false }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue
    const fields: Record<string, unknown> = isJsonObject(next.value) ? next.value : {}
    // A signature of a thought is that thought, encrypted; elsewhere it can be anything.
    for (const name of Object.keys(fields))
      if (ENCRYPTED.test(name) || (name === "signature" && isReasoning && next.ofProvider)) {
        delete fields[name]
        count(counts, REASONING)
        found = true
      }
    for (const [name, child] of Object.entries(next.value))
      waiting.push({ value: child, ofProvider: next.ofProvider || name === "metadata" })
  }
  return found
}

function count(counts: SecretCounts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
