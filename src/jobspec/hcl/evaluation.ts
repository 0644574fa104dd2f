/** What one reading of a job carries along: the budget, the faults found so far, and the files it needs. */
import type { Limits } from '../limits.js'
import { type Fault, fault, type SourceText } from '../mistakes.js'
import type { Span } from '../syntax.js'
import type { FunctionTable } from './functions/signature.js'
import { type Value, weightOf } from './values.js'

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

/** What `work` gives, or why it was stopped: no steps left, or no stack. */
export function withinBudget<Result>(work: () => Result): Result | BudgetSpent {
  try {
    return work()
  } catch (error) {
    if (error instanceof BudgetSpent) return error
    if (isStackOverflow(error)) return new BudgetSpent(TOO_DEEP)
    throw error
  }
}

/** Blocks, expressions and values are held to their depth; this is for whatever else a file may nest. */
export const TOO_DEEP: Fault = { summary: 'Nesting too deep', detail: 'Something in this file is nested deeper than it can be read.' }

export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}

export interface Scope {
  readonly source: SourceText
  readonly names: ReadonlyMap<string, Value>
  readonly parent: Scope | undefined
}

/** What evaluating one file has cost so far. Counted, not timed: the same file always gets the same verdict. */
export class Budget {
  private steps = 0
  private output = 0

  constructor(readonly limits: Limits) {}

  /** Every node of an expression, and every member of a value whenever it is walked. */
  spend(steps: number, source: SourceText, span: Span): void {
    this.steps += steps
    if (this.steps <= this.limits.stepsMax) return
    const detail = `Evaluating this file takes more than ${this.limits.stepsMax} steps; it was stopped here.`
    throw new BudgetSpent(fault(source, span, 'Too much to evaluate', detail))
  }

  /** Characters and elements, before they are made. */
  produce(amount: number, source: SourceText, span: Span): void {
    this.output += amount
    if (this.output <= this.limits.outputMax) return
    const detail = `Evaluating this file makes more than ${this.limits.outputMax} characters and elements; it was stopped here.`
    throw new BudgetSpent(fault(source, span, 'Result too large', detail))
  }
}

/** A mistake costs as much as it takes to word it: attempts that fail are no way around the budget. */
const STEPS_PER_FAULT = 100
/** Of a value; deeper than any file can write it, so that only values made of values come here. */
const VALUE_DEPTH_MAX = 500

export class Evaluation {
  readonly faults: Fault[] = []
  readonly warnings: string[] = []
  /** Paths whose text is not there yet. */
  readonly needs = new Set<string>()
  /** Paths whose text was used. */
  readonly used = new Set<string>()
  private seeds = 0

  constructor(
    readonly limits: Limits,
    /** Absent: functions that read files refuse. */
    readonly files: Files | undefined,
    /** Only these functions are there; absent: all those of a job's file. */
    readonly functions?: FunctionTable,
    /** Shared by all that belongs to one file. */
    readonly budget: Budget = new Budget(limits),
  ) {}

  /** On the host a name that nobody knows is a mistake: there is no later time at which it could be filled in. */
  get isRuntime(): boolean {
    return this.functions !== undefined
  }

  step(source: SourceText, span: Span): void {
    this.budget.spend(1, source, span)
  }

  /** Before a value is walked: encoded, compared, converted, described by its type. */
  walk(value: Value, source: SourceText, span: Span): void {
    const { steps, depth } = weightOf(value)
    this.budget.spend(steps, source, span)
    if (depth <= VALUE_DEPTH_MAX) return
    throw new BudgetSpent(fault(source, span, 'Nesting too deep', `More than ${VALUE_DEPTH_MAX} values are inside each other here.`))
  }

  /** Accounts for characters and elements before they are made. */
  produce(amount: number, source: SourceText, span: Span): void {
    this.budget.produce(amount, source, span)
  }

  /** Numbers the values that stand in for random ones, so that each is its own and every reading gives the same. */
  nextSeed(): number {
    return ++this.seeds
  }

  fail(source: SourceText, span: Span, summary: string, detail: string): void {
    this.budget.spend(STEPS_PER_FAULT, source, span)
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

/** In order. */
export function namesIn(scope: Scope): readonly string[] {
  const names = new Set<string>()
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) for (const name of at.names.keys()) names.add(name)
  return [...names].sort()
}

export function childScope(scope: Scope, names: Iterable<readonly [string, Value]>): Scope {
  return { source: scope.source, names: new Map(names), parent: scope }
}
