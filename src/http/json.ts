import { jsonLine } from "../record/json-text.ts"

/** Answers with a record, or something made of records, as JSON. */
export function jsonAnswer(value: unknown, etag?: string): Response {
  const headers = { "Content-Type": "application/json", ...(etag !== undefined && { ETag: etag }) }
  return new Response(jsonLine(value), { headers })
}
