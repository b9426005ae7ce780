/**
 * The hash of what is published of a session or of a message: of its texts, each with its length, so that two lists of texts never have
 * the same. It is another one whenever any of them is, and is never made of times or counts.
 */
export class ContentHash {
  readonly #hash = new Bun.CryptoHasher("sha256")

  add(...texts: readonly string[]): this {
    for (const text of texts) {
      this.#hash.update(`${text.length}:`)
      this.#hash.update(text)
    }
    return this
  }

  /** Gives the hash, and ends it. */
  end(): string {
    return this.#hash.digest("base64url")
  }
}
