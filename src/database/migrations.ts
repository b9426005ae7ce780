/// <reference path="../sql.d.ts" />

import { migrateSync } from "drizzle-orm/sqlite-core"
import init from "../../drizzle/20261122210939_init/migration.sql" with { type: "text" }
import search from "../../drizzle/20261122210940_search/migration.sql" with { type: "text" }
import deferredMerges from "../../drizzle/20261122212511_deferred_merges/migration.sql" with { type: "text" }
import trigramSets from "../../drizzle/20261125232117_trigram_sets/migration.sql" with { type: "text" }
import titlesInStep from "../../drizzle/20261126113433_titles_in_step/migration.sql" with { type: "text" }
import largeRecordsAnew from "../../drizzle/20261126121952_large_records_anew/migration.sql" with {
  type: "text",
}
import transcripts from "../../drizzle/20261126183548_transcripts/migration.sql" with { type: "text" }
import containerStates from "../../drizzle/20261126201442_container_states/migration.sql" with {
  type: "text",
}
import fields from "../../drizzle/20261126220013_fields/migration.sql" with { type: "text" }
import textsAtOnce from "../../drizzle/20261127030437_texts_at_once/migration.sql" with { type: "text" }
import foldCheckpoints from "../../drizzle/20261127033426_fold_checkpoints/migration.sql" with {
  type: "text",
}
import textEnds from "../../drizzle/20261127035139_text_ends/migration.sql" with { type: "text" }
import statePieces from "../../drizzle/20261127130328_state_pieces/migration.sql" with { type: "text" }
import type { Drizzle } from "./drizzle.ts"
import { type Migration, migration, statementsOf } from "./migration.ts"
import { MIGRATION_NAMES } from "./migration-names.ts"

const TEXTS: Readonly<Record<(typeof MIGRATION_NAMES)[number], string>> = {
  "20261122210939_init": init,
  "20261122210940_search": search,
  "20261122212511_deferred_merges": deferredMerges,
  "20261125232117_trigram_sets": trigramSets,
  "20261126113433_titles_in_step": titlesInStep,
  "20261126121952_large_records_anew": largeRecordsAnew,
  "20261126183548_transcripts": transcripts,
  "20261126201442_container_states": containerStates,
  "20261126220013_fields": fields,
  "20261127030437_texts_at_once": textsAtOnce,
  "20261127033426_fold_checkpoints": foldCheckpoints,
  "20261127035139_text_ends": textEnds,
  "20261127130328_state_pieces": statePieces,
}

/** All migrations, oldest first. This module is loaded only if there is something to migrate. */
export const migrations: Migration[] = MIGRATION_NAMES.map((name) => migration(name, TEXTS[name]))

/**
 * Runs the migrations that a database lacks, in one transaction, as `drizzle-orm/bun-sqlite/migrator` does. That module also loads
 * `node:crypto`, which only migrations read from a folder need, and which takes 4 ms of a first start.
 */
export function migrate(db: Drizzle): void {
  const all = migrations.map((migration) => ({
    name: migration.name,
    sql: statementsOf(migration),
    folderMillis: migration.timestamp,
    // Only migrations that are read from a folder have one.
    hash: "",
    bps: true,
  }))
  migrateSync(all, db._.session)
}
