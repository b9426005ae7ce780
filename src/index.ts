export { isStoreError, StoreError, type StoreErrorCode } from "./errors.ts"
export type { Logger } from "./logger.ts"
export { machineOf } from "./machine-of.ts"
export type { WalkOptions } from "./migrator/walk.ts"
export type { StoreOptions } from "./options.ts"
export type { PushChoice } from "./push/choice.ts"
export type { ForgetResult } from "./push/forget.ts"
export type { Pushed, PushOptions, PushProgress, PushResult } from "./push/options.ts"
export type { MessageWithParts, SessionExport } from "./record/export.ts"
export type { FieldType, FieldTypes, NoFields } from "./record/fields.ts"
export { createId, type IdKind, idTime } from "./record/id.ts"
export type { Key } from "./record/key.ts"
export type { AssistantMessage, Message, TokenCounts, UserMessage } from "./record/message.ts"
export type {
  AgentPart,
  CompactionPart,
  FilePart,
  Part,
  PatchPart,
  ReasoningPart,
  RetryPart,
  SnapshotPart,
  Span,
  StepFinishPart,
  StepStartPart,
  SubtaskPart,
  TextPart,
  ToolPart,
  ToolState,
} from "./record/part.ts"
export type { FileDiff, PermissionRule, Project, Todo } from "./record/project.ts"
export type { RecordSchemas } from "./record/schema.ts"
export type { Session } from "./record/session.ts"
export type { Page } from "./repository/cursor.ts"
export type { FieldTest, FieldTests, FieldValueOf } from "./repository/field-tests.ts"
export type { MessageListOptions, MessagePageOptions } from "./repository/messages.ts"
export type { ProjectFilter } from "./repository/of-projects.ts"
export type { SourceFilter } from "./repository/of-source.ts"
export type { PartListOptions } from "./repository/parts.ts"
export type { GroupedProject, ProjectGroup, ProjectGroupOptions } from "./repository/project-groups.ts"
export type { RepairOptions } from "./repository/repair.ts"
export type {
  SessionFilter,
  SessionListOptions,
  SessionOrder,
  SessionPageOptions,
} from "./repository/session-query.ts"
export type { RepairedSession, SessionWithOrigin } from "./repository/sessions.ts"
export type { Usage, UsageOptions } from "./repository/usage.ts"
export type { Pruned, PruneOptions, PruneResult } from "./retention/prune.ts"
export type { Reason, RetentionRules } from "./retention/rules.ts"
export type { EmptyOptions, Restored, Trash, TrashEntry } from "./retention/trash.ts"
export type { Catalog, Range, SessionCopy, SessionEntry } from "./root/catalog.ts"
export type { StoreChange } from "./root/change.ts"
export { documentOf, readDocument } from "./root/document.ts"
export type { RootHealth } from "./root/health.ts"
export { jsonFolder } from "./root/json/json-folder.ts"
export { opencodeDatabase, opencodeDatabases } from "./root/opencode/opencode-database.ts"
export { postgres } from "./root/postgres/postgres.ts"
export type { PostgresOptions } from "./root/postgres/postgres-options.ts"
export type { Problem } from "./root/problem-log.ts"
export { ProblemLog } from "./root/problem-log.ts"
export type { RecordSource, Tell, WholeMessage } from "./root/record-source.ts"
export type { Root, RootContext, RootProvider } from "./root/root.ts"
export type { WatchHealth } from "./root/root-watch.ts"
export { ScannedCatalog } from "./root/scanned/scanned-catalog.ts"
export { type ScannedRootOptions, scannedRoot } from "./root/scanned/scanned-root.ts"
export type { Amount, MonthStats, ProjectStats, StoreStats } from "./root/store-stats.ts"
export type {
  Candidate,
  CandidateFilter,
  MessageDocument,
  MessageText,
  TextSource,
} from "./root/text-source.ts"
export type { Endable, Orphan, Upkeep } from "./root/upkeep.ts"
export type {
  Difference,
  DifferenceKind,
  DuplicateSession,
  VerifyOptions,
  VerifyResult,
} from "./root/verify-result.ts"
export type { WalkProgress, WalkResult } from "./root/walk-result.ts"
export type { Removal, Update, WriteOptions } from "./root/writer.ts"
export type { SearchEnd, SearchHit, SearchOptions } from "./search/options.ts"
export {
  type FoundSource,
  findSources,
  findStore,
  type Home,
  ownFolder,
  sourceAt,
  sourceNames,
} from "./sources/find-sources.ts"
export type { SourceReport, SourcesOptions, SourcesProgress } from "./sources/report.ts"
export type { Source, SourceName } from "./sources/source.ts"
export { transcripts } from "./sources/transcripts.ts"
export { openStore, type SourceOptions, Store, type StoreHealth, type TrashStats } from "./store.ts"
export type { CopyOptions, CopyResult, NotCopied } from "./transfer/copy-store.ts"
export type { ExportEnd } from "./transfer/export.ts"
export type { ConflictChoice, ImportOptions, ImportProgress, ImportResult } from "./transfer/import.ts"
export type { ImportFromOptions, ImportFromProgress, ImportFromResult } from "./transfer/import-from.ts"
export type {
  ImportOlderOptions,
  ImportOlderProgress,
  ImportOlderResult,
  RecordCounts,
} from "./transfer/import-older.ts"
