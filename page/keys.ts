import { useEffect, useLayoutEffect, useRef } from "preact/hooks"

/** Whether keys are letters of a text just now. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  )
}

/** What keys do anywhere on the page, unless one types or a dialog is open. A handler that answers `false` had no use for the key. */
export function useKeys(keys: Readonly<Record<string, () => unknown>>): void {
  const latest = useRef(keys)
  // Set as soon as the page is drawn: the next key may follow at once.
  useLayoutEffect(() => {
    latest.current = keys
  })
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return
      const act = latest.current[event.key]
      if (act && act() !== false) event.preventDefault()
    }
    document.addEventListener("keydown", press)
    return () => document.removeEventListener("keydown", press)
  }, [])
}
