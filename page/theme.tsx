import { useState } from "preact/hooks"
import { Icon } from "./icons.tsx"

const THEMES = ["auto", "light", "dark"] as const
type Theme = (typeof THEMES)[number]
const KEY = "sessiondex-theme"
const ICONS = { auto: "auto", light: "sun", dark: "moon" } as const
const SAYS: Readonly<Record<Theme, string>> = {
  auto: "as the system",
  light: "light",
  dark: "dark",
}

function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "auto"
  } catch {
    // Storage may be forbidden; the system's colours are then as good as any.
    return "auto"
  }
}

function apply(theme: Theme): void {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme")
  else document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // It holds until the page is left.
  }
}

/** Light, dark, or as the system is; remembered in this browser. */
export function useTheme(): { theme: Theme; next: () => void } {
  const [theme, setTheme] = useState<Theme>(() => {
    const first = stored()
    apply(first)
    return first
  })
  const next = (): void => {
    const following = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto"
    apply(following)
    setTheme(following)
  }
  return { theme, next }
}

export function ThemeButton({ theme, next }: { theme: Theme; next: () => void }) {
  const label = `Colours: ${SAYS[theme]}`
  return (
    <button type="button" class="icon-button" aria-label={label} title={`${label} (t)`} onClick={next}>
      <Icon name={ICONS[theme]} />
    </button>
  )
}
