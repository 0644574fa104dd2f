import { refuse } from './failure.js'

export interface TemplateLimits {
  /** Nodes walked and functions called. */
  readonly steps: number
  /** Bytes of the rendered text. */
  readonly outputBytes: number
  /** Bytes of all values that functions take and make. */
  readonly madeBytes: number
}

export const TEMPLATE_LIMITS: TemplateLimits = { steps: 1_000_000, outputBytes: 16 << 20, madeBytes: 128 << 20 }

/** What an element of a list is charged: more than its text, it is several objects, and to collect those takes longest of all. */
export const ITEM_BYTES = 256

/** What one rendering may spend: a template cannot keep the agent busy for ever or fill its memory. */
export class Budget {
  private steps = 0
  private output = 0
  private made = 0

  constructor(private readonly limits: TemplateLimits) {}

  step(): void {
    if (++this.steps > this.limits.steps) refuse(`the template takes more than ${this.limits.steps} steps`)
  }

  produce(bytes: number): void {
    this.output += bytes
    if (this.output > this.limits.outputBytes) refuse(`the template renders more than ${this.limits.outputBytes} bytes`)
  }

  make(bytes: number): void {
    this.made += bytes
    if (this.made > this.limits.madeBytes) refuse(`the values of the template take more than ${this.limits.madeBytes} bytes`)
  }
}
