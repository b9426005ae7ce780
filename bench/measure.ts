import { Bench } from "tinybench"

/** What was measured of one thing over all rounds. */
export interface Sample {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: readonly number[]
}

/** @param values one a round */
export function sampleOf(values: readonly number[]): Sample {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    rounds: values,
  }
}

/** One thing to be timed; what has to be put in order before each time is not. */
export interface Task {
  readonly run: () => unknown
  readonly before?: () => unknown
}

/**
 * Times tasks in turn, round after round, so that whatever else the machine does falls on all of them alike. In each round a
 * task runs so many times, and the median (ms) of those stands for it.
 */
export async function interleave<Name extends string>(
  rounds: number,
  tasks: Record<Name, Task>,
  iterations = 1,
): Promise<Record<Name, Sample>> {
  const names = Object.keys(tasks) as Name[]
  const times = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      const { run, before } = tasks[name]
      const bench = new Bench({ time: 0, iterations, warmup: false, throws: true })
      bench.add(name, async () => void (await run()), {
        async: true,
        beforeEach: async () => void (await before?.()),
      })
      await bench.run()
      const result = bench.tasks[0]?.result
      if (result?.state !== "completed") throw new Error(`${name} did not complete`)
      times.get(name)?.push(result.latency.p50)
    }
  return Object.fromEntries(names.map((name) => [name, sampleOf(times.get(name) ?? [])])) as Record<
    Name,
    Sample
  >
}

/** The ratio of two things that ran in the same rounds, round by round. */
export function ratio(a: Sample, b: Sample): Sample {
  return sampleOf(a.rounds.map((value, round) => value / (b.rounds[round] ?? Number.NaN)))
}
