/** The process that answers from the past, `past-reader STATE_FOLDER`: reads the log beside the server that has started it, and ends with that. */
import { setPriority } from 'node:os'
import { LmdbCommandLog } from '../adapters/lmdb/command-log.js'
import type { ToPast } from '../adapters/past/messages.js'
import { PastAnswers } from '../adapters/past/past-answers.js'

/** What runs goes first. */
const NICENESS = 10

let answers: PastAnswers | undefined
/** One question after the other: each may fold a log. */
let before: Promise<unknown> = Promise.resolve()

setPriority(NICENESS)
process.on('disconnect', () => process.exit(0))
process.on('message', (message: ToPast) => {
  if (message.kind === 'begin') {
    answers = new PastAnswers(LmdbCommandLog.openForReading(process.argv[2]!), message.settings)
    return
  }
  const { number, at, request } = message
  before = before.then(async () => process.send!({ number, ...(await answers!.answer(at, request)) }))
})
