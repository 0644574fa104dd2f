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
 * V8 gives what is made for a moment up to three times 16 MiB, and fills that while the modules are loaded; an agent that stands beside other
 * people's work has a use for a fiftieth of it. To be asked for before they are loaded.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
