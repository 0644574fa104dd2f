/** What goes between the server and its workers. One task at a time each; a task may ask back for what only the server can read. */
import type { JobAnswer, JobRequest } from '../../api/index.js'
import type { JobFileOptions, JobFileOutcome } from '../../controller/index.js'
import type { Mistake } from '../../domain/index.js'
import type { Limits } from '../../jobspec/index.js'
import type { SyntaxReading } from '../hcl-syntax/syntax-reading.js'

export type Task =
  | { readonly kind: 'syntax'; readonly path: string; readonly text: string; readonly limits: Limits }
  | {
      readonly kind: 'job-file'
      readonly path: string
      readonly text: string
      /** Stands for the state of the repository: its paths are asked for once. */
      readonly treeId: number
      /** Which of the files that belong to the job by their names are there. */
      readonly companions: readonly string[]
      readonly options: JobFileOptions
    }
  | { readonly kind: 'job-request'; readonly request: JobRequest; readonly limits: Limits }

export type TaskAnswer = SyntaxReading | JobFileOutcome | JobAnswer

export type Question = { readonly kind: 'paths' } | { readonly kind: 'text'; readonly path: string }

export type Reply =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  | ({ readonly kind: 'text' } & ({ readonly text: string } | { readonly mistake: Mistake }))

/** From the server. */
export type ToWorker = { readonly id: number; readonly task: Task } | { readonly id: number; readonly reply: Reply }

/** From the worker. `heapBytes`: what it has come to hold. */
export type FromWorker =
  /** What it does now would take as long whatever the task is. */
  | { readonly id: number; readonly isLoading: boolean }
  | { readonly id: number; readonly question: Question }
  | { readonly id: number; readonly answer: TaskAnswer; readonly heapBytes: number }
  | { readonly id: number; readonly error: string }
