export type { RequestTimeouts } from "./context.ts"
export { isLoopback } from "./guard.ts"
export { createHandler, type Handler, type HandlerOptions } from "./handler.ts"
export { DEFAULT_PORT, type RunningServer, type ServeOptions, serve } from "./serve.ts"
