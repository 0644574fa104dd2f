/** One task at a time, in a thread of its own with a deep stack and a heap that ends; whoever started it ends it when it takes too long. */
import { getHeapStatistics } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import { answerJobRequest } from '../../api/index.js'
import { type JobFileTree, readJobFile } from '../../controller/index.js'
import { assertNever, invariant } from '../../domain/index.js'
import { companionNames, LIMITS } from '../../jobspec/index.js'
import { whenLoadingHcl } from '../hcl-syntax/explain-syntax.js'
import { InProcessSyntaxReader } from '../hcl-syntax/in-process-reader.js'
import { createJobspecParser } from '../hcl-syntax/jobspec-parser.js'
import { readSyntax } from '../hcl-syntax/read-syntax.js'
import type { FromWorker, Question, Reply, Task, TaskAnswer, ToWorker } from './tasks.js'

const port = parentPort
invariant(port !== null, 'the worker was started outside a worker thread')

let onReply: ((reply: Reply) => void) | undefined

port.on('message', (message: ToWorker) => {
  if ('reply' in message) onReply?.(message.reply)
  else void carryOut(message.id, message.task)
})

function tell(message: FromWorker): void {
  port!.postMessage(message)
}

async function carryOut(id: number, task: Task): Promise<void> {
  const ask = (question: Question) =>
    new Promise<Reply>((resolve) => {
      onReply = resolve
      tell({ id, question })
    })
  tell({ id, isLoading: false })
  whenLoadingHcl((isLoading) => tell({ id, isLoading }))
  try {
    const answer = await answerTask(task, ask)
    tell({ id, answer, heapBytes: getHeapStatistics().total_heap_size })
  } catch (error) {
    tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function answerTask(task: Task, ask: (question: Question) => Promise<Reply>): Promise<TaskAnswer> {
  switch (task.kind) {
    case 'syntax':
      return readSyntax(task.path, task.text, task.limits)
    case 'job-file':
      return readFile(task, ask)
    case 'job-request':
      return answerJobRequest(task.request, createJobspecParser(new InProcessSyntaxReader(task.limits)))
    default:
      return assertNever(task)
  }
}

/** The paths of the newest tree that was asked for. */
let known: { readonly treeId: number; readonly paths: readonly string[]; readonly set: ReadonlySet<string> } | undefined

/** Reading began without the paths, and needs them after all. */
class PathsWanted extends Error {}

async function readFile(task: Extract<Task, { kind: 'job-file' }>, ask: (question: Question) => Promise<Reply>): Promise<TaskAnswer> {
  const { path, treeId, companions, options } = task
  const syntax = new InProcessSyntaxReader(options.limits ?? LIMITS)
  const paths = () => {
    if (known?.treeId !== treeId) throw new PathsWanted()
    return known
  }
  const byName = new Set(companionNames(path, options.overlay))
  const tree: JobFileTree = {
    has: (wanted) => (byName.has(wanted) ? companions.includes(wanted) : paths().set.has(wanted)),
    list: (folder) => {
      const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`
      return paths().paths.filter((each) => each.startsWith(prefix))
    },
    // Known to the server, which fills it in.
    blobOf: () => '',
    read: async (wanted) => {
      if (wanted === path) return { text: task.text }
      const reply = await ask({ kind: 'text', path: wanted })
      invariant(reply.kind === 'text', 'a text was asked for')
      return reply
    },
  }
  try {
    return await readJobFile(path, tree, syntax, options)
  } catch (error) {
    if (!(error instanceof PathsWanted)) throw error
    const reply = await ask({ kind: 'paths' })
    invariant(reply.kind === 'paths', 'paths were asked for')
    known = { treeId, paths: reply.paths, set: new Set(reply.paths) }
    return readJobFile(path, tree, syntax, options)
  }
}
