import type { ComponentChildren } from "preact"
import { ApiError } from "./api.ts"

/** That something is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <p class="notice loading" role="status">
      <span class="spinner" aria-hidden="true" /> {what}
    </p>
  )
}

/** That there is nothing to show, and why. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice empty">
      <p class="notice-title">{title}</p>
      {children}
    </div>
  )
}

/** What went wrong, and another try. */
export function Failure({ title, error, onRetry }: { title: string; error: unknown; onRetry?: () => void }) {
  return (
    <div class="notice failure" role="alert">
      <p class="notice-title">{title}</p>
      <p>{says(error)}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

function says(error: unknown): string {
  if (error instanceof ApiError) return error.code === "" ? error.message : `${error.message} (${error.code})`
  return error instanceof Error ? error.message : String(error)
}
