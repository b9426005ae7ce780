/** Where the store tells of what it worked around; `console` fits. Every line is said once, not once a call. */
export interface Logger {
  warn(message: string, details?: unknown): void
}

/** Says nothing. */
export const silentLogger: Logger = { warn() {} }
