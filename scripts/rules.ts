/** A rule, and how it is taken away. */
export interface Rule {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** What is run; by default the tests of the stamp protocol. */
  readonly tests?: readonly string[]
}

/** The rules of the stamp protocol, of the full-text tables, of deriving, and of writing. A test sees to it that each can be taken away. */
export const RULES: readonly Rule[] = [
  {
    name: "racily clean: a stamp younger than the clock's granularity proves nothing",
    file: "src/file/stamp.ts",
    from: "return nowNs - stat.ctimeNs >= window",
    to: "return nowNs - stat.ctimeNs >= window || true",
  },
  {
    name: "generation: a reconcile commits only on top of the rows it began with",
    file: "src/migrator/directory-pass.ts",
    from: "&& current?.generation === this.#row?.generation",
    to: "",
  },
  {
    name: "clock first: the device's clock is read before the stamp that it proves",
    file: "src/migrator/clock-reading.ts",
    from: "return isProven(stat, this.#now.get(stat.device))",
    to: "return isProven(stat, this.#clock.now(stat.device))",
  },
  {
    name: "no stamp by own writes: what we wrote is unknown until read back",
    file: "src/writing.ts",
    from: "if (!filesOnly) await note(changes)",
    to: `if (!filesOnly) await note(changes)
    const { packStamp } = await import("../src/file/stamp.ts")
    const { placePath } = await import("../src/file/layout.ts")
    const { placeOfKey } = await import("../src/record/kind.ts")
    for (const { key } of changes) {
      const place = placeOfKey(key)?.place
      const stat = place && fs.lstat(placePath(directory, place))
      if (stat) await own.within.index.write(({ directories }) => {
        const row = directories.find(place)
        if (row) directories.settle(row.id, { stamp: packStamp(stat, true), size: stat.size, entries: row.entries })
      })
    }`,
  },
  {
    name: "probe clock: now is the device's, not ours",
    file: "src/file/clock.ts",
    from: "const now = probe?.device === device ? probe.ctimeNs : this.#youngest.get(device)",
    to: "const now = probe || this.#youngest.has(device) ? BigInt(Date.now()) * 1_000_000n : undefined",
  },
  {
    name: "stand-in clock: what stands in for a probe never runs ahead of our clock",
    file: "src/file/clock.ts",
    from: "if (ctimeNs <= BigInt(Date.now()) * NS_PER_MS) this.#youngest",
    to: "this.#youngest",
  },
  {
    name: "one trigger: a title that changes leaves the full-text table before it comes into it",
    file: "drizzle/20261126113433_titles_in_step/migration.sql",
    from: `  INSERT INTO titles (titles, rowid, folded) SELECT 'delete', old.row, old.folded WHERE old.folded IS NOT NULL;
  INSERT INTO titles (rowid, folded) SELECT new.row, new.folded WHERE new.folded IS NOT NULL;`,
    to: `  INSERT INTO titles (rowid, folded) SELECT new.row, new.folded WHERE new.folded IS NOT NULL;
  INSERT INTO titles (titles, rowid, folded) SELECT 'delete', old.row, old.folded WHERE old.folded IS NOT NULL;`,
  },
  {
    name: "pending: a message whose parts changed waits for its texts to be put anew",
    file: "src/migrator/reconcile.ts",
    from: "if (texts.length > 0) statements.texts.await(texts, mark)",
    to: "",
  },
  {
    name: "own texts: a message that may have texts of its own is never done with those of its parts",
    file: "src/database/text-statements.ts",
    from: "} & 1)`",
    to: "} & 0)`",
    tests: ["test/root/json/part-intake.test.ts"],
  },
  {
    name: "mark of parts: texts read before a change of a part are not put for those after it",
    file: "src/database/text-statements.ts",
    from: "} = named.value ->> 1`, isNull(problem)",
    to: "} <> 0`, isNull(problem)",
    tests: ["test/root/json/part-intake.test.ts"],
  },
  {
    name: "doubt: a row that says its record can be read, where it cannot, is read anew",
    file: "src/database/statements.ts",
    from: "if (row && this[place.kind].doubt(row.id, id)) this.directories.touch(row.id)",
    to: "void (row && id)",
  },
  {
    name: "dated renames: where a rename does not date folders, their stamps are no proof of names",
    file: "src/migrator/clock-reading.ts",
    from: "return this.proves(folder) && this.#clock.datesRenames(folder.device)",
    to: "return this.proves(folder)",
  },
  {
    name: "own writes: after them the stamp of the folder is dropped",
    file: "src/migrator/observation.ts",
    from: "directories.dropStamp(directory)",
    to: "directories.touch(directory)",
  },
  {
    name: "own moves: after them the stamps of the folders are dropped",
    file: "src/root/json/publisher.ts",
    from: "directories.dropStamp(id)",
    to: "void id",
  },
  {
    name: "a clean round: what was read in a round is confirmed by the next",
    file: "src/migrator/settle.ts",
    from: "if (passes.every(({ clean }) => clean)) return passes",
    to: "return passes",
  },
  {
    name: "look again: an update finds its session under the lock",
    file: "src/repository/sessions.ts",
    from: 'return this.#writer.update<S>({ kind: "session", find }, change)',
    to: "return this.#writer.update<S>(await find(), change)",
    tests: ["test/crash/moving.test.ts"],
  },
  {
    name: "one hold: what is looked at, written and removed together is so under one hold of the lock",
    file: "src/root/json/record-writer.ts",
    from: "return this.#queue.exclusively((held) =>",
    to: "return ((work: (held: Writes) => Promise<T>) => work(this.#queue))((held) =>",
    tests: ["test/crash/moving.test.ts"],
  },
  {
    name: "look again: what came while a session was removed goes with it",
    file: "src/root/json/session-removal.ts",
    from: "if (messages.waiting.length === 0) messages.waiting = await list()\n    if (messages.waiting.length > 0) return false",
    to: "if (messages.waiting.length > 0) return false",
    tests: ["test/repository/look-again.test.ts"],
  },
  {
    name: "removal: the index tells which sessions hold a message only where a stamp vouches for the names of all",
    file: "src/root/json/held-beside.ts",
    from: "|| !isAsNoted(files, folder, row.stamp, row.size)",
    to: "",
    tests: ["test/repository/held-beside.test.ts"],
  },
  {
    name: "full text: one or two letters at the end of a text begin a trigram too",
    file: "src/record/trigrams.ts",
    from: "if (last > 0) this.#addAny(",
    to: "if (last < 0) this.#addAny(",
    tests: ["test/record/trigrams.test.ts"],
  },
  {
    name: "look again: an import decides under the lock whether it is newer",
    file: "src/transfer/import.ts",
    from: 'typeof wins === "boolean" ? wins : wins()',
    to: "Boolean(wins)",
    tests: ["test/repository/look-again.test.ts"],
  },
  {
    name: "look again: a message that is back keeps its parts out of the trash",
    file: "src/retention/entry-files.ts",
    from: '|| holds(files, { kind: "message", folder: id }, message)',
    to: "",
    tests: ["test/repository/look-again.test.ts"],
  },
  {
    name: "compare: a coalesced version is written only over what is known",
    file: "src/file/coalescer.ts",
    from: "if (entry.known && !replaces &&",
    to: "if (entry.known === null && !replaces &&",
    tests: ["test/repository/coalesce.test.ts"],
  },
  {
    name: "one file: a project is not moved onto itself by another name",
    file: "src/root/json/relocation.ts",
    from: 'if (isOneFolder(files, from, { kind: "session", folder: to })) return false',
    to: "",
    tests: ["test/file/spelling.test.ts"],
  },
  {
    name: "one file: what was just written by one name is not removed by another",
    file: "src/root/json/relocation.ts",
    from: "return changed || isOneFile(files, from, to, id)",
    to: "return changed",
    tests: ["test/file/spelling.test.ts"],
  },
  {
    name: "one file: a folder is not merged into itself by another name",
    file: "src/file/move.ts",
    from: "|| isSameFile(here, there)",
    to: "",
    tests: ["test/file/spelling.test.ts"],
  },
  {
    name: "one file: of one name within one folder none is the second",
    file: "src/file/move.ts",
    from: "&& !isSameFile(fs.stat(dirname(from)), fs.stat(dirname(to)))",
    to: "",
    tests: ["test/file/spelling.test.ts"],
  },
  {
    name: "spelling: a write does not go over a record of another name",
    file: "src/file/write-queue.ts",
    from: "checkSpelling(fs, directory, target.key, this.#spelled)",
    to: "",
    tests: ["test/file/spelling.test.ts"],
  },
]
