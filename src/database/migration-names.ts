/**
 * The names of all migrations, oldest first. An index that has all of them needs nothing else. `bun run db:check` compares this list with
 * the folder.
 */
export const MIGRATION_NAMES = [
  "20261122210939_init",
  "20261122210940_search",
  "20261122212511_deferred_merges",
  "20261125232117_trigram_sets",
  "20261126113433_titles_in_step",
  "20261126121952_large_records_anew",
  "20261126183548_transcripts",
  "20261126201442_container_states",
  "20261126220013_fields",
  "20261127030437_texts_at_once",
  "20261127033426_fold_checkpoints",
  "20261127035139_text_ends",
  "20261127130328_state_pieces",
] as const
