import { existsSync } from "node:fs"

/** Where Debian and other systems have it. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
]

/** The browser of this machine, if it has one; the variable `CHROMIUM` names another. */
export function findBrowser(): string | undefined {
  const named = Bun.env.CHROMIUM
  if (named !== undefined && !existsSync(named))
    throw new Error(`CHROMIUM names ${named}, which is not there`)
  return named ?? PLACES.find((place) => existsSync(place))
}
