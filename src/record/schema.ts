import type { StandardSchemaV1 } from "@standard-schema/spec"
import { StoreError } from "../errors.ts"

/** Schemas an app can give to have its records checked before they are written; any Standard Schema library will do. */
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
 * Checks a record against its kind's schema, where there is one. What the schema transforms is not used: the record
 * is stored as the caller gave it, so that unknown fields survive.
 * @throws StoreError `INVALID_RECORD` naming every issue
 * @throws TypeError where the schema validates asynchronously
 */
export function checkSchema(
  schemas: RecordSchemas | undefined,
  kind: string,
  value: unknown,
  path: string,
): void {
  // A kind may be named as what every object inherits.
  const schema = kind in Object.prototype ? undefined : schemas?.[kind]
  if (!schema) return
  const result = schema["~standard"].validate(value)
  if (result instanceof Promise) {
    // Nobody waits for it: its failure must not end the process.
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
