/// <reference path="../../text-modules.d.ts" />
import type { App } from "../context.ts"
import { answerUnlessKnown } from "../etag.ts"
import style from "../page/app.css" with { type: "text" }
import script from "../page/app.js" with { type: "text" }
import html from "../page/index.html" with { type: "text" }

interface Asset {
  readonly type: string
  readonly text: string
}

/** Everything there is to serve besides records; embedded, so that no path of a request ever reaches a folder. */
const ASSETS: Readonly<Record<string, Asset>> = {
  // Where the types of Bun are loaded first, as in an app that imports this, they call an HTML file a bundle.
  "/": { type: "text/html; charset=utf-8", text: String(html) },
  "/assets/app.js": { type: "text/javascript; charset=utf-8", text: script },
  "/assets/app.css": { type: "text/css; charset=utf-8", text: style },
}

/** The page and its files. */
export function pageRoutes(app: App): void {
  for (const [path, { type, text }] of Object.entries(ASSETS)) {
    const version = Bun.hash(text).toString(36)
    app.get(path, (c) =>
      answerUnlessKnown(c.req.raw, version, (ETag = "") =>
        c.body(text, 200, { "Content-Type": type, "Cache-Control": "no-cache", ETag }),
      ),
    )
  }
}
