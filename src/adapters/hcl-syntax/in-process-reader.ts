import type { SyntaxOutcome, SyntaxReader } from '../../controller/index.js'
import { LIMITS, type Limits } from '../../jobspec/index.js'
import { readSyntax } from './read-syntax.js'

/** Reads on the calling thread: for the command line, tests and simulation, where a hang harms nobody else. */
export class InProcessSyntaxReader implements SyntaxReader {
  constructor(private readonly limits: Limits = LIMITS) {}

  read(path: string, text: string): Promise<SyntaxOutcome> {
    return readSyntax(path, text, this.limits)
  }

  async close(): Promise<void> {}
}
