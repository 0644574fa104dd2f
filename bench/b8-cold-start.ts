/** B8: from nothing to the state as it was. */
import { restart } from './b8-restart.js'
import type { Bench, BenchOptions, Line } from './measurement.js'

export const b8: Bench = {
  name: 'B8',
  summary: 'kill -9 and start again: until all is told to be running, and until a large state is read',
  async *run(options: BenchOptions): AsyncIterable<Line> {
    yield* restart(options)
  },
}
