import type { StandardSchemaV1 } from "@standard-schema/spec"
import { StoreError } from "../errors.ts"

/** Schemas, by kind, that an app's records are checked against before they are written; from any Standard Schema library. */
export interface RecordSchemas {
  session?: StandardSchemaV1
  message?: StandardSchemaV1
  part?: StandardSchemaV1
  project?: StandardSchemaV1
  todo?: StandardSchemaV1
  session_diff?: StandardSchemaV1
  permission?: StandardSchemaV1
  [kind: string]: StandardSchemaV1 | undefined
}

/**
 * Checks a record against the schema of its kind, if there is one. The schema's transformed output is not used: the record is
 * stored as the caller gave it, so that unknown fields survive.
 * @throws StoreError `INVALID_RECORD` naming every issue
 * @throws TypeError if the schema validates asynchronously
 */
export function checkSchema(
  schemas: RecordSchemas | undefined,
  kind: string,
  value: unknown,
  path: string,
): void {
  // A kind may be called "constructor", which every object inherits.
  const schema = kind in Object.prototype ? undefined : schemas?.[kind]
  if (!schema) return
  const result = schema["~standard"].validate(value)
  if (result instanceof Promise) {
    // Nobody awaits it, and an unhandled rejection would end the process.
    result.catch(() => {})
    throw new TypeError(
      `The schema for "${kind}" validates asynchronously; sessiondex needs a synchronous one.`,
    )
  }
  if (!result.issues) return
  const issues = result.issues.map((issue) => {
    const where = issue.path?.map((step) => String(typeof step === "object" ? step.key : step)).join(".")
    return where ? `${where}: ${issue.message}` : issue.message
  })
  throw new StoreError("INVALID_RECORD", `The ${kind} was refused by its schema: ${issues.join("; ")}`, {
    path,
    cause: result.issues,
  })
}
