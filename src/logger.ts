/** Receives warnings about what the store worked around; `console` fits. Each warning comes once, not once per call. */
export interface Logger {
  warn(message: string, details?: unknown): void
}

/** A logger that drops everything. */
export const silentLogger: Logger = { warn() {} }
