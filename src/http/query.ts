import { segmentFault } from "../record/key.ts"
import { HttpProblem } from "./problem.ts"

/** Longest value of one parameter, in UTF-16 units. */
const MAX_VALUE = 1_024
/** Most values of a parameter that may stand several times. */
const MAX_IDS = 100
/** Most records that a page can be asked for. */
export const MAX_PAGE = 1_000

/** Reads the parameters of a request, each of which is checked before the store is asked. */
export class Query {
  readonly #parameters: URLSearchParams

  constructor(url: string) {
    this.#parameters = new URL(url).searchParams
  }

  text(name: string): string | undefined {
    const value = this.#parameters.get(name)
    if (value === null || value === "") return undefined
    if (value.length > MAX_VALUE) throw invalid(name, `must not be longer than ${MAX_VALUE} characters`)
    return value
  }

  /** The id of a record, which must be a name that a file can have. */
  id(name: string): string | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : checkedId(name, value)
  }

  /** The ids of records, where the parameter may stand several times; a single one as it is. */
  ids(name: string): string | string[] | undefined {
    const values = this.#parameters.getAll(name).filter((value) => value !== "")
    if (values.length < 2) return this.id(name)
    if (values.length > MAX_IDS) throw invalid(name, `must not stand more than ${MAX_IDS} times`)
    return values.map((value) => checkedId(name, value))
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name)
    const choice = choices.find((candidate) => candidate === value)
    if (value !== undefined && choice === undefined)
      throw invalid(name, `must be one of ${choices.join(", ")}`)
    return choice
  }

  /** `true`, `false`, or nothing. */
  flag(name: string): boolean {
    return this.choice(name, ["true", "false"]) === "true"
  }

  /** The size of a page; `undefined` where everything is asked for. */
  limit(): number | undefined {
    const value = this.text("limit")
    if (value === undefined) return undefined
    if (!/^\d{1,6}$/.test(value) || Number(value) < 1 || Number(value) > MAX_PAGE)
      throw invalid("limit", `must be a whole number from 1 to ${MAX_PAGE}`)
    return Number(value)
  }

  /** A time, ms since 1970. */
  time(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!/^-?\d{1,16}$/.test(value)) throw invalid(name, "must be a time in ms since 1970")
    return Number(value)
  }
}

function checkedId(name: string, value: string): string {
  const fault = segmentFault(value)
  if (fault) throw new HttpProblem(400, "INVALID_KEY", `${name} is no id: it ${fault}`)
  return value
}

function invalid(name: string, why: string): HttpProblem {
  return new HttpProblem(400, "INVALID_QUERY", `${name} ${why}`)
}
