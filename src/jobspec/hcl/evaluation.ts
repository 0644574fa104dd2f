/** What one reading of a job carries along: the budget, the faults found so far, and the files it needs. */
import type { Limits } from '../limits.js'
import { type Fault, fault, type SourceText } from '../mistakes.js'
import type { Span } from '../syntax.js'
import type { FunctionTable } from './functions/signature.js'
import type { Value } from './values.js'

/** The commit's tree as expressions see it. Paths are relative to the repository's root. */
export interface FileTree {
  has(path: string): boolean
  /** Every path below the folder, the folder's own name included; '' is the root. */
  list(folder: string): readonly string[]
}

export interface Files {
  readonly tree: FileTree
  /** Texts that were asked for before. */
  readonly texts: ReadonlyMap<string, string>
  /** Folder that relative paths start from: that of the job's file. */
  readonly folder: string
}

/** The budget is used up: the verdict on the whole file, whatever else it holds. */
export class BudgetSpent extends Error {
  constructor(readonly fault: Fault) {
    super(fault.summary)
  }
}

export interface Scope {
  readonly source: SourceText
  readonly names: ReadonlyMap<string, Value>
  readonly parent: Scope | undefined
}

export class Evaluation {
  readonly faults: Fault[] = []
  readonly warnings: string[] = []
  /** Paths whose text is not there yet. */
  readonly needs = new Set<string>()
  /** Paths whose text was used. */
  readonly used = new Set<string>()
  private steps = 0
  private seeds = 0
  private output = 0

  constructor(
    readonly limits: Limits,
    /** Absent: functions that read files refuse. */
    readonly files: Files | undefined,
    /** Only these functions are there; absent: all those of a job's file. */
    readonly functions?: FunctionTable,
  ) {}

  step(source: SourceText, span: Span): void {
    if (++this.steps > this.limits.stepsMax) {
      throw new BudgetSpent(
        fault(
          source,
          span,
          'Too much to evaluate',
          `Evaluating this file takes more than ${this.limits.stepsMax} steps; it was stopped here.`,
        ),
      )
    }
  }

  /** Accounts for characters and elements before they are made. */
  produce(amount: number, source: SourceText, span: Span): void {
    this.output += amount
    if (this.output <= this.limits.outputMax) return
    throw new BudgetSpent(
      fault(
        source,
        span,
        'Result too large',
        `Evaluating this file makes more than ${this.limits.outputMax} characters and elements; it was stopped here.`,
      ),
    )
  }

  /** Numbers the values that stand in for random ones, so that each is its own and every reading gives the same. */
  nextSeed(): number {
    return ++this.seeds
  }

  fail(source: SourceText, span: Span, summary: string, detail: string): void {
    this.faults.push(fault(source, span, summary, detail))
  }

  /** Runs `attempt` and takes back the faults that it found; answers whether there were any. */
  withoutFaults<Result>(attempt: () => Result): { readonly result: Result; readonly faults: readonly Fault[] } {
    const before = this.faults.length
    const result = attempt()
    return { result, faults: this.faults.splice(before) }
  }
}

export function findName(scope: Scope, name: string): Value | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const found = at.names.get(name)
    if (found !== undefined) return found
  }
  return undefined
}

export function childScope(scope: Scope, names: Iterable<readonly [string, Value]>): Scope {
  return { source: scope.source, names: new Map(names), parent: scope }
}
