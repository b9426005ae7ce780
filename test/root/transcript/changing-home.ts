import * as fs from "node:fs"
import { dirname, join } from "node:path"
import type { Random } from "../../support/random.ts"
import { type HomeKit, WORDS } from "./changing-kits.ts"

/** Files above that size are rather cut than added to. */
const LARGE = 12_000
const ODD_LINES = [
  "\0\0\0\0",
  "",
  "12",
  "null",
  "{",
  '{"type":',
  '"pars',
  "[1]",
  "\u{feff}{}",
  "}}}}",
  "{}\r",
]

/** A home of an agent that "other programs" change at random, file by file. */
export class ChangingHome {
  readonly place: string
  readonly #kit: HomeKit
  readonly #random: Random
  /** What is still to come of a line that is being written, by path. */
  readonly #coming = new Map<string, Buffer>()
  /** What was done, in words. */
  readonly log: string[] = []

  constructor(place: string, kit: HomeKit, random: Random) {
    this.place = place
    this.#kit = kit
    this.#random = random
    fs.mkdirSync(place, { recursive: true })
    for (let files = 0; files < 3; files++) this.#create()
  }

  /** One change. */
  change(): void {
    const path = this.#there()
    if (path === undefined) this.#create()
    else this.#chosen(path)()
  }

  #chosen(path: string): () => void {
    const random = this.#random
    const { size } = fs.lstatSync(this.#at(path))
    if (path.endsWith(".zst")) return () => this.#changeCompressed(path)
    const kind = random.below(100)
    if (kind < 8) return () => this.#create()
    if (kind < 14) return () => this.#changeSide()
    if (size > LARGE && random.chance(0.5)) return () => this.#truncate(path)
    if (path.endsWith(".json") && kind < 70) return () => this.#writeObject(path)
    if (kind < 32) return () => this.#append(path, this.#lines(path, 1 + random.below(3)))
    if (kind < 44) return () => this.#appendPart(path)
    if (kind < 52) return () => this.#otherWord(path)
    if (kind < 58) return () => this.#rewrite(path)
    if (kind < 63) return () => this.#truncate(path)
    if (kind < 68) return () => this.#copyLine(path)
    if (kind < 76) return () => this.#move(path)
    if (kind < 82) return () => this.#copy(path)
    if (kind < 87) return () => this.#remove(path)
    if (kind < 92) return () => this.#touch(path)
    if (kind < 96) return () => this.#compress(path)
    return () => this.#append(path, Buffer.from(`${random.pick(ODD_LINES)}${random.pick(["\n", ""])}`))
  }

  #at(path: string): string {
    return join(this.place, path)
  }

  #files(): string[] {
    return this.#kit.paths
      .flatMap((path) => [path, `${path}.zst`])
      .filter((path) => fs.existsSync(this.#at(path)))
  }

  #there(): string | undefined {
    const files = this.#files()
    return files.length === 0 ? undefined : this.#random.pick(files)
  }

  #note(what: string): void {
    this.log.push(what)
  }

  #put(path: string, bytes: Buffer | string, how: "in place" | "by renaming"): void {
    fs.mkdirSync(dirname(this.#at(path)), { recursive: true })
    this.#coming.delete(path)
    const to = this.#at(path)
    fs.writeFileSync(how === "in place" ? to : `${to}.tmp`, bytes)
    if (how === "by renaming") fs.renameSync(`${to}.tmp`, to)
  }

  #how(): "in place" | "by renaming" {
    return this.#random.chance(0.7) ? "in place" : "by renaming"
  }

  #lines(path: string, count: number): Buffer {
    return Buffer.from(
      Array.from({ length: count }, () => `${JSON.stringify(this.#kit.next(this.#random, path))}\n`).join(""),
    )
  }

  #create(): void {
    const path = this.#random.pick(this.#kit.paths)
    this.#note(`create ${path}`)
    if (path.endsWith(".json")) {
      this.#writeObject(path)
      return
    }
    const first = Buffer.from(`${JSON.stringify(this.#kit.first(this.#random, path))}\n`)
    const bytes = Buffer.concat([first, this.#lines(path, this.#random.below(5))])
    this.#put(path, this.#random.chance(0.05) ? "" : bytes, this.#how())
  }

  #writeObject(path: string): void {
    const random = this.#random
    const messages = Array.from({ length: random.below(6) }, () => this.#kit.next(random, path))
    const text = JSON.stringify({ ...(this.#kit.first(random, path) as object), messages }, null, 2)
    const end = random.chance(0.2) ? random.below(text.length) : text.length
    this.#note(`write ${path}, ${end} of ${text.length} bytes`)
    this.#put(path, text.slice(0, end), this.#how())
  }

  #append(path: string, bytes: Buffer): void {
    this.#note(`append ${JSON.stringify(bytes.toString().slice(0, 300))} to ${path}`)
    fs.appendFileSync(this.#at(path), bytes)
  }

  /** A byte of a line, half of it, or all but its end; the rest later, or never: then the next one follows on the same line. */
  #appendPart(path: string): void {
    const coming = this.#coming.get(path) ?? this.#lines(path, 1)
    const length = this.#random.pick([1, Math.ceil(coming.length / 2), coming.length - 1, coming.length])
    this.#append(path, coming.subarray(0, length))
    if (length >= coming.length || this.#random.chance(0.2)) this.#coming.delete(path)
    else this.#coming.set(path, coming.subarray(length))
  }

  /** One word becomes another of its length; the file's time stays now and then. */
  #otherWord(path: string): void {
    const random = this.#random
    const text = fs.readFileSync(this.#at(path), "latin1")
    const places = [...text.matchAll(/[pP]ars|arse|rser|fixp|ixpa/g)].map(({ index }) => index)
    if (places.length === 0) return
    const at = random.pick(places)
    const word = random.pick(WORDS)
    const { atime, mtime } = fs.statSync(this.#at(path))
    const keepsTime = random.chance(0.3)
    const more = random.chance(0.3) ? this.#lines(path, 1).toString("latin1") : ""
    this.#note(`${word} at ${at} of ${path}${keepsTime ? ", same time" : ""}${more && ", and a line"}`)
    const bytes = Buffer.from(text.slice(0, at) + word + text.slice(at + word.length) + more, "latin1")
    this.#put(path, bytes, this.#how())
    if (keepsTime) fs.utimesSync(this.#at(path), atime, mtime)
  }

  #rewrite(path: string): void {
    const random = this.#random
    const lines = fs.readFileSync(this.#at(path), "latin1").split("\n")
    const kept = lines.filter(() => random.chance(0.8))
    if (random.chance(0.3)) kept.reverse()
    const text = kept.join(random.pick(["\n", "\n", "\r\n"]))
    this.#note(`keep ${kept.length} of ${lines.length} lines of ${path}`)
    this.#put(path, Buffer.from(text, "latin1"), this.#how())
  }

  #truncate(path: string): void {
    const { size } = fs.lstatSync(this.#at(path))
    const length = this.#random.below(size + 1)
    this.#note(`truncate ${path} to ${length}`)
    this.#coming.delete(path)
    fs.truncateSync(this.#at(path), length)
  }

  #copyLine(path: string): void {
    const other = this.#there() ?? path
    if (other.endsWith(".zst")) return
    const lines = fs.readFileSync(this.#at(other), "utf8").split("\n")
    this.#append(path, Buffer.from(`${this.#random.pick(lines)}\n`))
  }

  #other(path: string): string {
    const form = path.replace(/\.zst$/, "").slice(-5)
    return this.#random.pick(this.#kit.paths.filter((other) => other.endsWith(form)))
  }

  #move(path: string): void {
    const to = this.#other(path)
    this.#note(`move ${path} to ${to}`)
    fs.mkdirSync(dirname(this.#at(to)), { recursive: true })
    this.#coming.delete(to)
    fs.renameSync(this.#at(path), this.#at(to))
  }

  #copy(path: string): void {
    const to = this.#other(path)
    this.#note(`copy ${path} to ${to}`)
    const { atime, mtime } = fs.statSync(this.#at(path))
    this.#put(to, fs.readFileSync(this.#at(path)), this.#how())
    if (this.#random.chance(0.5)) fs.utimesSync(this.#at(to), atime, mtime)
  }

  #remove(path: string): void {
    this.#note(`remove ${path}`)
    this.#coming.delete(path)
    if (this.#random.chance(0.1)) fs.rmSync(dirname(this.#at(path)), { recursive: true })
    else fs.rmSync(this.#at(path))
  }

  /** Before anything that it says, among it, or now. */
  #touch(path: string): void {
    const time = this.#random.pick([
      Date.UTC(2026, 8, 1),
      Date.UTC(2026, 9, 1) + this.#random.below(20_000),
      Date.now(),
    ])
    this.#note(`touch ${path}, ${time}`)
    fs.utimesSync(this.#at(path), time / 1000, time / 1000)
  }

  #compress(path: string): void {
    this.#note(`compress ${path}`)
    this.#put(`${path}.zst`, Buffer.from(Bun.zstdCompressSync(fs.readFileSync(this.#at(path)))), this.#how())
    if (this.#random.chance(0.8)) fs.rmSync(this.#at(path))
  }

  #changeCompressed(path: string): void {
    const random = this.#random
    const plain = path.slice(0, -4)
    const bytes = Buffer.from(Bun.zstdDecompressSync(fs.readFileSync(this.#at(path))))
    const kind = random.below(4)
    this.#note(`${["decompress", "remove", "rewrite", "touch"][kind]} ${path}`)
    if (kind === 3) this.#touch(path)
    else if (kind === 2) {
      const more = Buffer.concat([bytes, this.#lines(plain, 1)])
      this.#put(path, Buffer.from(Bun.zstdCompressSync(more)), this.#how())
    } else {
      if (kind === 0) this.#put(plain, bytes, this.#how())
      fs.rmSync(this.#at(path))
    }
  }

  #changeSide(): void {
    const random = this.#random
    const path = random.pick(Object.keys(this.#kit.sides))
    const make = this.#kit.sides[path]
    if (!make) return
    this.#note(`change ${path}`)
    if (random.chance(0.2)) fs.rmSync(this.#at(path), { force: true })
    else this.#put(path, make(random), this.#how())
  }
}
