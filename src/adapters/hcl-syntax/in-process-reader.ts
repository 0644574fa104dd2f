import {
  type JobFileOptions,
  type JobFileOutcome,
  type JobFileTree,
  type JobReader,
  readJobFile,
  type SyntaxOutcome,
  type SyntaxReader,
} from '../../controller/index.js'
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

/** Job files on the calling thread. */
export class InProcessJobReader implements JobReader {
  constructor(private readonly syntax: SyntaxReader = new InProcessSyntaxReader()) {}

  read(path: string, tree: JobFileTree, options: JobFileOptions): Promise<JobFileOutcome> {
    return readJobFile(path, tree, this.syntax, options)
  }

  async close(): Promise<void> {}
}
