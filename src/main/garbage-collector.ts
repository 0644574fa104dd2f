/** How V8 is to treat what is made for a moment. */
import { setFlagsFromString } from 'node:v8'

/**
 * V8 guesses from the first collections which objects will last and makes their like in the old generation from then on. While a plan of
 * hundreds of placements is made everything it is made of lasts, so V8 guesses wrong: all that later evaluations leave behind stays until
 * a full collection, and each small collection copies it (docs/benchmarks.md, B1). The guess may be switched off at any time.
 */
export function collectYoungObjectsEarly(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}

/**
 * For an agent, which stands beside other people's work. V8 gives what is made for a moment up to three times 16 MiB, and fills that while
 * the modules are loaded: a fiftieth of it is enough. And a burst of starts would double the old generation, which V8 gives back when it
 * comes to it, if ever: so it collects sooner and compacts. To be asked for before the modules are loaded.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--optimize-for-size')
}
