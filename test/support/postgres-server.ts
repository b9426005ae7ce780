import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { SQL } from "bun"

const PATIENCE_MS = 30_000
/** Who may do everything there; it needs no password. */
const ADMIN = "fleet"

/** A PostgreSQL server of the tests' own, on a free port of this machine and on a Unix socket in its folder. */
export class PostgresServer {
  readonly #bin: string
  readonly #parent: string
  /** Its data, socket and log; made by `start`. */
  folder = ""
  port = 0
  #process: ChildProcess | undefined
  #databases = 0

  /** @param parent the folder in which it makes its own */
  constructor(programs: string, parent: string) {
    this.#bin = programs
    this.#parent = parent
  }

  /** Makes the server's folder where there is none yet, and starts it; resolves when it answers. */
  async start(settings: readonly string[] = []): Promise<void> {
    if (this.folder === "") this.#make()
    const all = [
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      `unix_socket_directories=${this.folder}`,
      "fsync=off",
      "max_connections=60",
      ...settings,
    ]
    const options = all.flatMap((setting) => ["-c", setting])
    this.#process = spawn(join(this.#bin, "postgres"), ["-D", join(this.folder, "data"), ...options], {
      ...owner(),
      stdio: ["ignore", "ignore", "ignore"],
    })
    const process_ = this.#process
    process.once("exit", () => process_.kill("SIGQUIT"))
    await this.#untilReady()
  }

  /** Stops it: `fast` ends its connections first, `immediate` is as a crash. */
  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (!running || running.exitCode !== null) return
    const ended = new Promise((resolve) => running.once("exit", resolve))
    running.kill(mode === "fast" ? "SIGINT" : "SIGQUIT")
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
    const client = new SQL({ url, max: 1, prepare: false, idleTimeout: 5, connectionTimeout: 5 })
    try {
      return [...(await client.unsafe(text))]
    } finally {
      await client.close({ timeout: 0 })
    }
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
    const { uid, gid } = owner()
    // Long paths do not fit into a socket's address.
    this.folder = mkdtempSync(join(this.#parent, "sessiondex-pg-"))
    chmodSync(this.folder, 0o755)
    mkdirSync(join(this.folder, "data"))
    for (const folder of [this.folder, join(this.folder, "data")])
      if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
    const { status, stderr } = spawnSync(
      join(this.#bin, "initdb"),
      [
        ["-D", join(this.folder, "data"), "-U", ADMIN, "-A", "trust", "-E", "UTF8"],
        ["--locale=C.UTF-8", "--no-sync", "--no-instructions"],
      ].flat(),
      { ...owner(), encoding: "utf8" },
    )
    if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr}`)
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
