/// <reference path="../sql.d.ts" />
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
import { type Migration, migration } from "./migration.ts"

/** All migrations, oldest first; `bun run db:check` holds this list against the folder. */
export const migrations: Migration[] = [
  migration("20261122210939_init", init),
  migration("20261122210940_search", search),
  migration("20261122212511_deferred_merges", deferredMerges),
  migration("20261125232117_trigram_sets", trigramSets),
  migration("20261126113433_titles_in_step", titlesInStep),
  migration("20261126121952_large_records_anew", largeRecordsAnew),
  migration("20261126183548_transcripts", transcripts),
  migration("20261126201442_container_states", containerStates),
  migration("20261126220013_fields", fields),
  migration("20261127030437_texts_at_once", textsAtOnce),
  migration("20261127033426_fold_checkpoints", foldCheckpoints),
  migration("20261127035139_text_ends", textEnds),
]
