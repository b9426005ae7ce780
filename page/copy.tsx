import { useEffect, useRef, useState } from "preact/hooks"
import { Icon } from "./icons.tsx"
import { useKeys } from "./keys.ts"

/** How long it says so, in ms. */
const SAYS = 2_000

/** Puts a command into the clipboard, also by the key `c`; where the browser does not allow that, shows it to be copied by hand. */
export function CopyCommand({ label, command }: { label: string; command: string }) {
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle")
  const field = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    if (state === "refused") field.current?.select()
  }, [state])
  const copy = async (): Promise<void> => {
    clearTimeout(timer.current)
    try {
      await navigator.clipboard.writeText(command)
      setState("copied")
      timer.current = setTimeout(() => setState("idle"), SAYS)
    } catch {
      // Over plain HTTP from another machine there is no clipboard.
      setState("refused")
    }
  }
  useKeys({ c: () => void copy() })
  return (
    <>
      <button type="button" class="copy" title={command} aria-keyshortcuts="c" onClick={() => void copy()}>
        <Icon name={state === "copied" ? "check" : "copy"} />
        {state === "copied" ? "Copied" : label}
      </button>
      <span class="hidden" role="status">
        {state === "copied" ? "Copied" : ""}
      </span>
      {state === "refused" && (
        <input
          ref={field}
          class="command"
          aria-label={label}
          readOnly
          value={command}
          onBlur={() => setState("idle")}
        />
      )}
    </>
  )
}
