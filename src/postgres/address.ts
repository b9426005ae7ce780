import { userInfo } from "node:os"
import { passwordOf } from "./pass-file.ts"

/** The modes that encrypt the connection; the `verify` ones also check the certificate. */
const ENCRYPTED = ["require", "verify-ca", "verify-full"] as const
const PLAIN = ["disable", "allow", "prefer"] as const

/** Where a database is, and how to log in. */
export interface Address {
  /** The URL without user, password and options, for errors and listings. */
  readonly place: string
  readonly hostname: string
  readonly port: number
  readonly database: string
  readonly username: string
  readonly password: string | undefined
  /** The folder of a Unix socket. */
  readonly socket: string | undefined
  readonly tls: (typeof ENCRYPTED)[number] | "disable"
  /** The path of a certificate to trust beside the system's. */
  readonly rootCertificate: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`; `?host=/folder` names the folder of a Unix socket. What the
 * URL lacks comes from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`, the password file, `PGSSLMODE` and `PGSSLROOTCERT`. A
 * connection to another machine is always encrypted, and by default the certificate is checked.
 * @throws TypeError if it is no such URL, or for a mode without TLS to another machine; the message never contains a password
 */
export function addressOf(target: string, env: Environment = process.env): Address {
  const url = parse(target)
  const options = url.searchParams
  const host = options.get("host") ?? undefined
  const socket = host?.startsWith("/") ? host : undefined
  const hostname =
    socket === undefined ? host || bare(url.hostname) || env.PGHOST || "localhost" : "localhost"
  const port = Number(url.port || options.get("port") || env.PGPORT || 5432)
  const username =
    decodeURIComponent(url.username) || options.get("user") || env.PGUSER || userInfo().username
  const database = decodeURIComponent(url.pathname.slice(1)) || env.PGDATABASE || username
  const password =
    decodeURIComponent(url.password) ||
    env.PGPASSWORD ||
    passwordOf({ host: hostname, port, database, user: username }, env)
  const isHere = socket !== undefined || isLoopback(hostname)
  return {
    place: placeOf(socket ?? hostname, port, database),
    hostname,
    port,
    database,
    username,
    password,
    socket,
    tls: tlsOf(options.get("sslmode") ?? env.PGSSLMODE, isHere),
    rootCertificate: options.get("sslrootcert") ?? env.PGSSLROOTCERT,
  }
}

function parse(target: string): URL {
  const url = URL.canParse(target) ? new URL(target) : undefined
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol))
    throw new TypeError("A fleet's database is named by a URL as postgres://user@host/database")
  return url
}

/** A host name without the brackets of an IPv6 address. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1")
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

function placeOf(host: string, port: number, database: string): string {
  const at = host.startsWith("/") ? encodeURIComponent(host) : host.includes(":") ? `[${host}]` : host
  return `postgres://${at}:${port}/${encodeURIComponent(database)}`
}

function tlsOf(mode: string | undefined, isHere: boolean): Address["tls"] {
  if (mode === undefined) return isHere ? "disable" : "verify-full"
  const encrypted = ENCRYPTED.find((one) => one === mode)
  if (encrypted) return encrypted
  if (!PLAIN.some((one) => one === mode)) throw new TypeError(`There is no sslmode ${JSON.stringify(mode)}`)
  if (isHere) return "disable"
  throw new TypeError(
    `sslmode=${mode} would send histories in the clear: off this machine it is one of ${ENCRYPTED.join(", ")}`,
  )
}
