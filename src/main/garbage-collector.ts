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
