import { join } from "node:path"

/** A JSON store as such agents had it: glob the names, await each file, sort. */
export class ScanStore {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The keys' paths below a prefix. */
  async list(...prefix: string[]): Promise<string[]> {
    const cwd = join(this.#directory, ...prefix)
    const names = await Array.fromAsync(new Bun.Glob("**/*.json").scan({ cwd, onlyFiles: true }))
    return names.map((name) => join(cwd, name)).sort()
  }

  async #readAll(paths: readonly string[]): Promise<Record<string, unknown>[]> {
    const bodies: Record<string, unknown>[] = []
    for (const path of paths) bodies.push(await Bun.file(path).json())
    return bodies
  }

  /** The newest sessions. */
  async sessions(limit: number): Promise<unknown[]> {
    const bodies = await this.#readAll(await this.list("session"))
    return bodies.sort((a, b) => timeOf(b, "updated") - timeOf(a, "updated")).slice(0, limit)
  }

  /** The newest messages with their parts, or all of them. */
  async messages(sessionID: string, limit?: number): Promise<unknown[]> {
    const infos = await this.#readAll(await this.list("message", sessionID))
    const newest = infos.sort((a, b) => timeOf(b, "created") - timeOf(a, "created")).slice(0, limit)
    const messages: unknown[] = []
    for (const info of newest)
      messages.push({ info, parts: await this.#readAll(await this.list("part", String(info.id))) })
    return messages
  }

  async countMessages(sessionID: string): Promise<number> {
    return (await this.list("message", sessionID)).length
  }
}

function timeOf(body: Record<string, unknown>, name: "created" | "updated"): number {
  const time = body.time
  return typeof time === "object" && time !== null ? Number(Reflect.get(time, name)) : 0
}
