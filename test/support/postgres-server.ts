import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SQL } from "bun"

const PATIENCE_MS = 30_000
/** Who may do everything there; it needs no password. */
const ADMIN = "fleet"
/**
 * Becomes the server, beside a shell that waits for a line with the signal that ends it. Where no line comes any more, since
 * whoever started it was killed, it ends the server and removes its folder.
 */
const GUARDED = `exec 3<&0
{
  if read -r signal <&3; then kill -s "$signal" $$; else
    kill -s QUIT $$
    for tries in 1 2 3 4 5 6 7 8 9; do kill -0 $$ || break; sleep 1; done
    rm -rf "$0"
  fi
} 2> /dev/null &
exec "$@" < /dev/null 3<&-`

/** A PostgreSQL server of the tests' own, on a free port of this machine and on a Unix socket in its folder. */
export class PostgresServer {
  readonly #bin: string
  readonly #parent: string
  readonly #settings: readonly string[]
  /** Its data, socket and log; made by `start`. */
  folder = ""
  port = 0
  #process: ChildProcess | undefined
  #databases = 0
  /** What `sql` asks with, by URL: a connection costs the server more than what most tests ask. */
  readonly #clients = new Map<string, SQL>()

  /**
   * @param parent the folder in which it makes its own
   * @param settings that it is started with, as `fsync=on`
   */
  constructor(programs: string, parent: string, settings: readonly string[] = []) {
    this.#bin = programs
    this.#parent = parent
    this.#settings = settings
  }

  /** Makes the server's folder where there is none yet, and starts it; resolves when it answers. */
  async start(): Promise<void> {
    if (this.folder === "") this.#make()
    const all = [
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      `unix_socket_directories=${this.folder}`,
      "fsync=off",
      "max_connections=60",
      ...this.#settings,
    ]
    const options = all.flatMap((setting) => ["-c", setting])
    const command = [join(this.#bin, "postgres"), "-D", join(this.folder, "data"), ...options]
    this.#process = spawn("sh", ["-c", GUARDED, this.folder, ...command], {
      ...owner(),
      stdio: ["pipe", "ignore", "ignore"],
    })
    await this.#untilReady()
  }

  /** Stops it: `fast` ends its connections first, `immediate` is as a crash. */
  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.#hangUp()
    const running = this.#process
    this.#process = undefined
    if (!running || running.exitCode !== null) return
    const ended = new Promise((resolve) => running.once("exit", resolve))
    running.stdin?.end(mode === "fast" ? "INT\n" : "QUIT\n")
    await ended
  }

  async remove(): Promise<void> {
    await this.stop("immediate")
    if (this.folder !== "") rmSync(this.folder, { recursive: true, force: true })
  }

  /** The URL of a new, empty database. */
  async database(): Promise<string> {
    const name = `test_${++this.#databases}`
    await this.sql(`create database ${name}`)
    return this.url(name)
  }

  url(database: string, user = ADMIN, password = ""): string {
    const login = password === "" ? user : `${user}:${password}`
    return `postgres://${login}@127.0.0.1:${this.port}/${database}`
  }

  /** Runs statements as the one who may do everything. */
  async sql(text: string, url = this.url("postgres")): Promise<Record<string, unknown>[]> {
    const client = this.#clients.get(url) ?? new SQL({ url, max: 1, prepare: false, connectionTimeout: 5 })
    this.#clients.set(url, client)
    try {
      return [...(await client.unsafe(text))]
    } catch (error) {
      this.#clients.delete(url)
      await client.close({ timeout: 0 })
      throw error
    }
  }

  async #hangUp(): Promise<void> {
    const clients = [...this.#clients.values()]
    this.#clients.clear()
    await Promise.all(clients.map((client) => client.close({ timeout: 0 })))
  }

  /** Runs one of PostgreSQL's programs, as `pg_dump`, on a database; gives what it prints. */
  run(program: string, ...options: string[]): string {
    const { status, stdout, stderr } = spawnSync(join(this.#bin, program), options, {
      encoding: "utf8",
      maxBuffer: 2 ** 30,
    })
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`)
    return stdout
  }

  /** What it wrote to its log. */
  log(): string {
    return readFileSync(join(this.folder, "log"), "utf8")
  }

  #make(): void {
    // Long paths do not fit into a socket's address.
    this.folder = mkdtempSync(join(this.#parent, "sessiondex-pg-"))
    chmodSync(this.folder, 0o755)
    copyWithOwners(emptyCluster(this.#bin), join(this.folder, "data"))
    const { uid, gid } = owner()
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid)
    this.port = freePort()
  }

  async #untilReady(): Promise<void> {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      const code = this.#process?.exitCode
      if (typeof code === "number") throw new Error(`PostgreSQL ended with ${code} when it was started`)
      try {
        await this.sql("select 1")
        return
      } catch (error) {
        if (performance.now() > until) throw error
        await Bun.sleep(20)
      }
    }
  }
}

/** Where what is made once for all test runs is kept. */
const CACHE = join(import.meta.dir, "..", "..", "node_modules", ".cache", "sessiondex")

/** The folder of a cluster without databases of its own, made once for each version: it takes longer than most tests do. */
function emptyCluster(bin: string): string {
  const options = [`-U${ADMIN}`, "-Atrust", "-EUTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
  const version = ran(join(bin, "postgres"), ["--version"])
  const { uid, gid } = owner()
  const made = join(CACHE, `postgres-${Bun.hash([version, uid, ...options].join()).toString(36)}`)
  if (existsSync(made)) return made
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), "sessiondex-pg-"))
  const copy = mkdtempSync(`${made}-`)
  try {
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
    ran(join(bin, "initdb"), ["-D", join(folder, "data"), ...options], owner())
    copyWithOwners(join(folder, "data"), join(copy, "data"))
    renameSync(join(copy, "data"), made)
  } catch (error) {
    // Another run may have been first.
    if (!existsSync(made)) throw error
  } finally {
    for (const path of [folder, copy]) rmSync(path, { recursive: true, force: true })
  }
  return made
}

function copyWithOwners(from: string, to: string): void {
  ran("cp", ["-Rp", from, to])
}

function ran(command: string, args: readonly string[], as: { uid?: number; gid?: number } = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, { ...as, encoding: "utf8" })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
  return stdout
}

/** PostgreSQL refuses to run as root: where the tests do, it runs as somebody who owns nothing, or as its own user. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const passwd = readFileSync("/etc/passwd", "utf8")
  const [, uid, gid] =
    /^postgres:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? []
  if (uid === undefined || gid === undefined) throw new Error("There is no user that PostgreSQL could run as")
  return { uid: Number(uid), gid: Number(gid) }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}
