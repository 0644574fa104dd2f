/** `Drover-Drain: <host> deadline=<duration> ignore_system=true force=true`, and `Drover-Drain: <host> cancel=true mark_eligible=true`. */
import { type ActRequests, DRAIN_DEADLINE_MS_DEFAULT, MILLISECOND, readDuration } from '../domain/index.js'
import { trailerWords } from './trailers.js'

export type DrainReading =
  | { readonly kind: 'drain'; readonly host: string; readonly request: Omit<ActRequests['node-drain'], 'nodeId'> }
  | { readonly kind: 'mistake'; readonly problem: string }

const FLAGS: ReadonlySet<string> = new Set(['ignore_system', 'force', 'cancel', 'mark_eligible'])

export function readDrainTrailer(line: string): DrainReading {
  const [host, ...words] = trailerWords(line)
  if (host === undefined) return mistake('it names no host')
  const flags = new Set<string>()
  let deadlineMs = DRAIN_DEADLINE_MS_DEFAULT
  for (const word of words) {
    const [name = '', value = 'true'] = word.split('=', 2)
    const duration = name === 'deadline' ? readDuration(value) : undefined
    if (duration?.kind === 'duration' && duration.nanoseconds >= 0) deadlineMs = duration.nanoseconds / MILLISECOND
    else if (name === 'deadline') return mistake(`the deadline "${value}" is no duration; write deadline=30m, or deadline=0s for none`)
    else if (!FLAGS.has(name) || !/^(?:true|false)$/.test(value)) {
      return mistake(`"${word}" is no setting; there are deadline=, ignore_system=, force=, cancel= and mark_eligible=`)
    } else if (value === 'true') flags.add(name)
  }
  const drain = flags.has('cancel')
    ? null
    : { deadlineMs: flags.has('force') ? -1 : deadlineMs, ignoreSystemJobs: flags.has('ignore_system') }
  return { kind: 'drain', host, request: { drain, markEligible: flags.has('mark_eligible'), meta: null } }
}

function mistake(problem: string): { readonly kind: 'mistake'; readonly problem: string } {
  return { kind: 'mistake', problem }
}
