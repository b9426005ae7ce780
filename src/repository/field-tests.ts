import type {
  DeclaredFields,
  Field,
  FieldCondition,
  FieldType,
  FieldTypes,
  FieldValue,
} from "../record/fields.ts"
import { MISSING } from "../record/fields.ts"
import { checkChoice } from "../root/check.ts"

/** A value of a declared field. */
export type FieldValueOf<T extends FieldType> = T extends "text" ? string : number

/** A test of a field: a value; `null` for a missing value; or a range, both ends included, which a missing value is never in. */
export type FieldTest<T extends FieldType> =
  | FieldValueOf<T>
  | null
  | { readonly from?: FieldValueOf<T> | undefined; readonly to?: FieldValueOf<T> | undefined }

/** Tests of declared fields, by name. Without declared fields there are none. */
export type FieldTests<F extends FieldTypes> = [keyof F] extends [never]
  ? never
  : { readonly [Name in keyof F]?: FieldTest<F[Name]> | undefined }

/** The conditions for a query; `undefined` if there are no tests. @throws TypeError */
export function conditionsOf(
  tests: unknown,
  declared: DeclaredFields | undefined,
): readonly FieldCondition[] | undefined {
  if (tests === undefined) return undefined
  if (typeof tests !== "object" || tests === null || Array.isArray(tests))
    throw new TypeError("where must be an object of declared fields")
  const conditions = Object.entries(tests).flatMap(([name, test]) => {
    const field = declared?.find(name)
    if (!field) throw new TypeError(`where.${name} is not a field that the store was opened with`)
    return test === undefined ? [] : conditionOf(field, test)
  })
  return conditions.length === 0 ? undefined : conditions
}

/** Checks an order that is not a declared field. @throws TypeError, which also lists the declared fields */
export function checkOrder(
  order: string | undefined,
  declared: DeclaredFields | undefined,
): "updated" | "created" {
  if (order === "updated" || order === "created") return order
  const choices = ["updated", "created", ...(declared?.names ?? [])]
  return checkChoice("order", order, choices, "updated") === "created" ? "created" : "updated"
}

function conditionOf(field: Field, test: unknown): FieldCondition {
  if (test === null) return { field, least: MISSING, most: MISSING }
  if (typeof test !== "object") {
    const value = valueFrom(field, "", test)
    return { field, least: value, most: value }
  }
  const strange = Object.keys(test).find((bound) => bound !== "from" && bound !== "to")
  if (strange !== undefined) throw new TypeError(`where.${field.name} has no ${strange}: only from and to`)
  const { from, to }: { from?: unknown; to?: unknown } = test
  const [least, most] = field.type === "text" ? ["", undefined] : [-Number.MAX_VALUE, Number.MAX_VALUE]
  return {
    field,
    least: from === undefined ? least : valueFrom(field, ".from", from),
    most: to === undefined ? most : valueFrom(field, ".to", to),
  }
}

function valueFrom({ name, type }: Field, bound: string, value: unknown): FieldValue {
  if (type === "text" && typeof value === "string") return value.toWellFormed()
  if (type === "number" && typeof value === "number" && Number.isFinite(value)) return value
  throw new TypeError(`where.${name}${bound} must be a ${type}, not ${String(value)}`)
}
