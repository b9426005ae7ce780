import { useId, useLayoutEffect, useRef, useState } from "preact/hooks"
import { type Bar, type Chart, ceiling } from "./usage.ts"

const [HEIGHT, LEFT, BOTTOM, TOP] = [118, 44, 20, 8]
/** A wider picture is drawn larger; a narrower one is drawn with fewer dates, so that they can be read. */
const [NARROWEST, WIDEST] = [240, 720]
/** What a date and the space behind it need. */
const LABEL = 80
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" })
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" })

/** Stacked bars over time; the arrows move from bar to bar, and the same figures stand in a table. */
export function BarChart({
  title,
  total,
  chart,
  tones,
  format,
}: {
  title: string
  total: string
  chart: Chart
  /** The class that colours each series; by default they are told apart by their order. */
  tones?: readonly string[]
  format: (value: number) => string
}) {
  const [at, setAt] = useState<number>()
  const [table, setTable] = useState(false)
  const id = useId()
  const picture = useRef<SVGSVGElement>(null)
  const wide = useWidth(picture)
  const { bars, series } = chart
  const tone = (index: number): string => tones?.[index] ?? `series-${index}`
  const top = ceiling(Math.max(...bars.map(({ values }) => sum(values))))
  const step = (wide - LEFT) / bars.length
  const width = Math.max(1, Math.min(step * 0.78, 26))
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
  const bar = at === undefined ? undefined : bars[at]
  const labels = Math.max(1, Math.ceil((bars.length * LABEL) / (wide - LEFT)))
  const press = (event: KeyboardEvent): void => {
    const last = bars.length - 1
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: Math.min(last, (at ?? -1) + 1),
      ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
      Home: 0,
      End: last,
    }
    const next = moves[event.key]
    if (next === undefined) return
    setAt(next)
    event.preventDefault()
  }
  return (
    <section class="card chart">
      <header>
        <h2 id={id}>{title}</h2>
        <p class="readout" aria-live="polite">
          {bar ? (
            <>
              <b>{spanOf(bar)}</b> {format(sum(bar.values))}
            </>
          ) : (
            <b>{total}</b>
          )}
        </p>
      </header>
      <svg
        ref={picture}
        viewBox={`0 0 ${wide} ${HEIGHT}`}
        role="img"
        aria-labelledby={id}
        aria-describedby={`${id}-says`}
        tabIndex={0}
        onKeyDown={press}
        onBlur={() => setAt(undefined)}
        onPointerLeave={() => setAt(undefined)}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect()
          const x = ((event.clientX - box.left) / box.width) * wide - LEFT
          const index = Math.floor(x / step)
          setAt(index >= 0 && index < bars.length ? index : undefined)
        }}
      >
        <desc id={`${id}-says`}>{describe(chart, total)}</desc>
        {[0.5, 1].map((part) => (
          <g class="grid">
            <line x1={LEFT} x2={wide} y1={y(top * part)} y2={y(top * part)} />
            <text x={LEFT - 6} y={y(top * part) + 3.5} text-anchor="end">
              {format(top * part)}
            </text>
          </g>
        ))}
        {at !== undefined && (
          <rect class="cursor" x={LEFT + at * step} width={step} y={TOP} height={HEIGHT - TOP - BOTTOM} />
        )}
        {bars.map(({ values, day }, index) => {
          let base = 0
          return (
            <g key={day}>
              {values.map((value, piece) => {
                const from = base
                base += value
                return value > 0 ? (
                  <rect
                    class={tone(piece)}
                    x={LEFT + index * step + (step - width) / 2}
                    width={width}
                    y={y(base)}
                    height={Math.max(0.75, y(from) - y(base))}
                  />
                ) : null
              })}
            </g>
          )
        })}
        <line class="axis" x1={LEFT} x2={wide} y1={y(0)} y2={y(0)} />
        {bars.map(({ day }, index) =>
          index % labels === 0 && index * step < wide - LEFT - 40 ? (
            <text class="label" x={LEFT + index * step + step / 2 - width / 2} y={HEIGHT - 5}>
              {DAY.format(Date.parse(day))}
            </text>
          ) : null,
        )}
      </svg>
      <ul class="legend">
        {series.map((name, index) => (
          <li>
            <span class={`swatch ${tone(index)}`} aria-hidden="true" />
            {name} <span class="faint">{format((bar ? bar.values[index] : chart.totals[index]) ?? 0)}</span>
          </li>
        ))}
      </ul>
      <details onToggle={({ currentTarget }) => setTable(currentTarget.open)}>
        <summary>As a table</summary>
        <div class="scroll-x" tabIndex={0} role="region" aria-label={`${title} as a table`}>
          <table class="figures">
            <thead>
              <tr>
                <th>Day</th>
                {series.map((name) => (
                  <th>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {bars
                .filter(({ values }) => table && sum(values) > 0)
                .map((bar) => (
                  <tr>
                    <th scope="row">{spanOf(bar)}</th>
                    {bar.values.map((value) => (
                      <td>{format(value)}</td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  )
}

/** How wide a picture has to be drawn for its letters to be as large as others. */
function useWidth(picture: { readonly current: SVGSVGElement | null }): number {
  const [width, setWidth] = useState(WIDEST)
  useLayoutEffect(() => {
    const element = picture.current
    if (!element) return
    const observer = new ResizeObserver(() =>
      setWidth(Math.max(NARROWEST, Math.min(WIDEST, Math.round(element.clientWidth)))),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [picture])
  return width
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

function spanOf({ day, days }: Bar): string {
  const first = Date.parse(day)
  return days === 1 ? DATE.format(first) : DATE.formatRange(first, first + (days - 1) * 86_400_000)
}

function describe({ bars }: Chart, total: string): string {
  const highest = bars.reduce<Bar | undefined>(
    (best, bar) => (best && sum(best.values) >= sum(bar.values) ? best : bar),
    undefined,
  )
  const [first, last] = [bars[0], bars.at(-1)]
  if (!first || !last || !highest) return total
  return `${total} from ${spanOf(first)} to ${spanOf(last)}; most on ${spanOf(highest)}.`
}
