import { StoreError, systemCode } from "../errors.ts"

/** What the server's code (SQLSTATE) means: its beginning, a message, and a hint. */
const TROUBLES: readonly (readonly [RegExp, string, string])[] = [
  [
    /^28/,
    "it does not let us in",
    "Look at the user and the password: in the URL, PGPASSWORD or PGPASSFILE.",
  ],
  [/^3D000/, "it has no such database", "Make it (createdb), or look at the name at the URL's end."],
  [/^42501/, "this user may not do that", "docs/postgres.md shows which rights reading and pushing need."],
  [/^25006/, "it takes no changes", "Push to the primary, not to a replica."],
  [/^53100/, "its disk is full", "Make room there and push again: nothing was lost."],
  [/^53/, "it has no room for another connection", "Try again later, or put a pooler before it."],
  [/^57P/, "it was stopped or restarted", "Try again when it is up."],
  [/^08/, "the connection broke", "Try again."],
  [/^(?:40|55P03)/, "others were in the way", "Try again."],
  [/^57014/, "it took too long", "Try again, or look at what keeps it busy."],
  [/^(?:58|XX)/, "it has trouble of its own", "Look at its log."],
]

/** A failure that is about the server and not about the query. */
interface Trouble {
  readonly what: string
  readonly hint: string
  /** Whether the query may work at once on another connection. */
  readonly lost: boolean
}

/** The driver's error, which Drizzle wraps together with the query and its values. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.name === "DrizzleQueryError" ? error.cause : error
}

/** The server's code in an error, such as `42P01`; `undefined` if the server did not answer. */
export function stateOf(error: unknown): string | undefined {
  const inner = innermost(error)
  return inner instanceof Error && "errno" in inner && typeof inner.errno === "string"
    ? inner.errno
    : undefined
}

function troubleOf(error: unknown): Trouble | undefined {
  const state = stateOf(error)
  if (state !== undefined) {
    const known = TROUBLES.find(([form]) => form.test(state))
    return known && { what: known[1], hint: known[2], lost: /^(?:08|57P0|40)/.test(state) }
  }
  const code = systemCode(innermost(error))
  if (code === undefined) return undefined
  if (code.startsWith("ERR_POSTGRES_TLS") || /CERT|SELF_SIGNED|SSL|TLS|HOSTNAME/.test(code))
    return {
      what: `no trusted connection could be made (${code})`,
      hint: "Name its certificate with sslrootcert=FILE, or, to trust any, sslmode=require.",
      lost: false,
    }
  if (/^ERR_POSTGRES_(?:AUTH|SASL|CHANNEL_BINDING|UNSUPPORTED_AUTH)|PASSWORD/.test(code))
    return { what: "it does not let us in", hint: TROUBLES[0]?.[2] ?? "", lost: false }
  if (/^ERR_POSTGRES_(?:CONNECTION|IDLE|LIFETIME|EXPECTED_REQUEST|UNEXPECTED)|^E[A-Z]+$/.test(code))
    return { what: "it does not answer", hint: "Look whether it runs, and at host and port.", lost: true }
  return undefined
}

/** Whether a query may work at once on another connection: the server was restarted, or other transactions were in the way. */
export function isLost(error: unknown): boolean {
  return troubleOf(error)?.lost === true
}

/**
 * What to throw for an error of the driver: StoreError `FLEET_UNAVAILABLE` if it is about the server, otherwise the driver's error, which
 * is then a mistake in our code. It contains neither the query's values nor a password.
 */
export function failureOf(error: unknown, place: string): unknown {
  if (error instanceof StoreError) return error
  const trouble = troubleOf(error)
  const cause = innermost(error)
  if (!trouble) return cause
  return new StoreError("FLEET_UNAVAILABLE", `${place} cannot be used: ${trouble.what}`, {
    path: place,
    cause,
    hint: trouble.hint,
  })
}
