/** `/drover/v1/audit`: who did what and when, and what was refused; one JSON object a line. */
import type { AuditEntry } from '../../domain/index.js'
import { badRequest } from '../errors.js'
import type { AuditLog, Turns } from '../ports.js'
import type { ApiResponse } from '../request.js'
import type { Call, Route } from '../router.js'

const HEADERS = { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-cache' }
const OUTCOMES = ['', 'done', 'refused']

export function auditRoutes(deps: { readonly audit: AuditLog; readonly turns: Turns }): readonly Route[] {
  return [{ pattern: '/drover/v1/audit', methods: { GET: (call) => readAudit(deps, call) } }]
}

/** `from`: number of the first; `outcome`: only these; `action`: only these; `follow`: and what comes. */
function readAudit({ audit, turns }: { readonly audit: AuditLog; readonly turns: Turns }, { parameters, request }: Call): ApiResponse {
  const from = parameters.integer('from', (reason) => `from is no number: ${reason}`) ?? 0
  const outcome = parameters.text('outcome')
  if (!OUTCOMES.includes(outcome)) throw badRequest(`outcome is "done" or "refused", not ${JSON.stringify(outcome)}`)
  const action = parameters.text('action')
  const isWanted = (entry: AuditEntry) => (outcome === '' || entry.outcome === outcome) && (action === '' || entry.action === action)
  if (!parameters.boolean('follow')) return { status: 200, headers: HEADERS, body: audit.kept(from).filter(isWanted).map(toLine).join('') }
  return { status: 200, headers: HEADERS, body: lines() }

  async function* lines(): AsyncIterable<string> {
    // So that whoever waits knows that there is somebody.
    yield ''
    for await (const entries of audit.follow(from, request.signal)) {
      await turns.pass()
      const text = entries.filter(isWanted).map(toLine).join('')
      if (text !== '') yield text
    }
  }
}

function toLine(entry: AuditEntry): string {
  return `${JSON.stringify(entry)}\n`
}
