/**
 * `Drover-Dispatch: <job> payload=<path> meta.<key>=<value> token=<token> id_prefix=<prefix> priority=<number>`: what stands behind the job is
 * optional, and a value with spaces stands between double quotes.
 */
import { type ActRequests, type Commit, readWords } from '../domain/index.js'
import type { BlobContent } from './ports.js'
import { DISPATCH, isTrailer } from './trailers.js'

/** Of the commit, by path: contents, or why there are none. */
export type PayloadFiles = Pick<ReadonlyMap<string, BlobContent | { readonly kind: 'unreadable'; readonly reason: string }>, 'get'>

type Request = Omit<ActRequests['job-dispatch'], 'namespace' | 'jobId'>

export type DispatchReading =
  | { readonly kind: 'dispatch'; readonly job: string; readonly request: Request }
  | { readonly kind: 'mistake'; readonly problem: string }

/** Files of the commit that its trailers name. */
export function payloadPaths(trailers: Commit['trailers']): readonly string[] {
  return trailers.filter((trailer) => isTrailer(trailer, DISPATCH)).flatMap(({ value }) => splitLine(value).settings.get('payload') ?? [])
}

export function readDispatchTrailer(line: string, payloads: PayloadFiles): DispatchReading {
  const { job, settings, stray } = splitLine(line)
  if (job === undefined) return mistake('it names no job')
  if (stray !== undefined) return mistake(`"${stray}" is no setting; there are payload=, meta.<key>=, token=, id_prefix= and priority=`)
  const payload = readPayload(settings.get('payload'), payloads)
  if (payload.kind === 'mistake') return payload
  const priority = settings.get('priority') ?? '0'
  if (!/^\d{1,3}$/.test(priority)) return mistake(`the priority "${priority}" is no number`)
  const meta = [...settings].filter(([name]) => name.startsWith(META)).map(([name, value]) => [name.slice(META.length), value])
  return {
    kind: 'dispatch',
    job,
    request: {
      payload: payload.base64,
      meta: Object.fromEntries(meta),
      token: settings.get('token') ?? '',
      idPrefix: settings.get('id_prefix') ?? '',
      priority: Number(priority),
    },
  }
}

const META = 'meta.'
const SETTINGS: ReadonlySet<string> = new Set(['payload', 'token', 'id_prefix', 'priority'])

interface Line {
  readonly job: string | undefined
  readonly settings: ReadonlyMap<string, string>
  /** The first word that is none. */
  readonly stray: string | undefined
}

function splitLine(line: string): Line {
  const [job, ...words] = readWords(line)
  const settings = new Map<string, string>()
  let stray: string | undefined
  for (const { name, value } of words) {
    if (name !== null && (SETTINGS.has(name) || (name.startsWith(META) && name.length > META.length))) settings.set(name, value)
    else stray ??= name === null ? value : `${name}=${value}`
  }
  return { job: job?.name === null ? job.value : undefined, settings, stray }
}

function readPayload(
  path: string | undefined,
  payloads: PayloadFiles,
): { readonly kind: 'payload'; readonly base64: string } | { readonly kind: 'mistake'; readonly problem: string } {
  if (path === undefined) return { kind: 'payload', base64: '' }
  const content = payloads.get(path)
  if (content === undefined) return mistake(`there is no file ${path} in this commit`)
  if (content.kind === 'unreadable') return mistake(`${path}: ${content.reason}`)
  if (content.kind === 'too-large') return mistake(`${path} is too large: it has ${content.sizeBytes} bytes`)
  return { kind: 'payload', base64: Buffer.from(content.bytes).toString('base64') }
}

function mistake(problem: string): { readonly kind: 'mistake'; readonly problem: string } {
  return { kind: 'mistake', problem }
}
