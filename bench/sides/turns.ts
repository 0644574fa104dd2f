/** Measuring sides in turns, so that what else the machine does meets all of them. */
import { type Measurement, measurement, quantile } from '../measurement.js'

/** One value for each round and side, A-B-A-B. */
export async function inTurns<Turn extends { readonly name: string }>(
  turns: readonly Turn[],
  rounds: number,
  measure: (turn: Turn, round: number) => Promise<number>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const values = new Map(turns.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) for (const turn of turns) values.get(turn.name)!.push(await measure(turn, round))
  return values
}

interface What {
  readonly bench: string
  readonly case: string
  readonly metric: string
  readonly unit: string
  /** By which the sides are told apart; the median where it is not given. */
  readonly share?: number
}

/** A line for each side, and for each but the first how many times that of the first its value is. */
export function* linesOfSides(what: What, values: ReadonlyMap<string, readonly number[]>): Iterable<Measurement> {
  const { share = 0.5 } = what
  const valueFor = (runs: readonly number[]) => quantile(runs, share)
  const [first] = values.values()
  for (const [side, runs] of values)
    yield { ...measurement(what.bench, what.case, what.metric, what.unit, runs), value: valueFor(runs), side }
  for (const [side, runs] of [...values].slice(1))
    yield { ...measurement(what.bench, what.case, `${what.metric}.times-drover`, '1', [valueFor(runs) / valueFor(first!)]), side }
}
