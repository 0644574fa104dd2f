/**
 * A forge of each kind on the loopback interface that knows the requests of its documentation and refuses every other: method, path, query,
 * headers and members of the body are those that GitHub (2022-11-28), GitLab (v4) and Gitea (v1) document.
 */
import { createServer, type IncomingMessage } from 'node:http'

export type ForgeKind = 'github' | 'gitlab' | 'gitea'

export interface StandIn {
  readonly api: string
  readonly requests: { number: number; headId: string; branch: string }[]
  /** By request. */
  readonly comments: Map<number, { id: number; body: string }[]>
  /** By commit, in the forge's own words, the newest last. */
  readonly statuses: Map<string, { state: string; description: string }[]>
  /** What came that no documentation knows. */
  readonly refused: string[]
  readonly asked: string[]
  /** Answers in place of all others. */
  outage: { status: number; headers: Record<string, string> } | undefined
  /** Refuses to set a state that a commit has already, as some releases of GitLab do. */
  keepsStates: boolean
  /** Comments of others: their ids may not be edited. */
  readonly foreign: Set<number>
  stop(): Promise<void>
}

const TOKEN_HEADERS = {
  github: (token: string) => ({
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  }),
  gitlab: (token: string) => ({ 'private-token': token }),
  gitea: (token: string) => ({ authorization: `token ${token}` }),
}

const STATES = {
  github: ['success', 'failure', 'error', 'pending'],
  gitlab: ['success', 'failed', 'canceled', 'running', 'pending'],
  gitea: ['success', 'failure', 'error', 'pending', 'warning'],
}

export async function startForge(kind: ForgeKind, project: string, token: string): Promise<StandIn> {
  let nextId = 100
  const standIn = {
    api: '',
    requests: [],
    comments: new Map(),
    statuses: new Map(),
    refused: [],
    asked: [],
    outage: undefined,
    keepsStates: false,
    foreign: new Set(),
    stop: async () => {},
  } as StandIn & { api: string }
  const top = kind === 'gitlab' ? `/projects/${encodeURIComponent(project)}` : `/repos/${project}`
  const commentsOf = (number: number) => standIn.comments.get(number) ?? standIn.comments.set(number, []).get(number)!
  const page = <Row>(rows: readonly Row[], query: URLSearchParams) => {
    const size = Number(query.get(kind === 'gitea' ? 'limit' : 'per_page') ?? 30)
    const at = Number(query.get('page') ?? 1) - 1
    return rows.slice(at * size, (at + 1) * size)
  }
  const listRequests = (query: URLSearchParams): object[] | undefined => {
    if (kind === 'gitlab') {
      if (query.get('state') !== 'opened') return undefined
      const wanted = standIn.requests.filter(({ branch }) => branch === query.get('target_branch'))
      return wanted.map(({ number, headId }) => ({ iid: number, sha: headId }))
    }
    if (query.get('state') !== 'open') return undefined
    const base = query.get('base')
    if ((kind === 'github') !== (base !== null)) return undefined
    const wanted = standIn.requests.filter(({ branch }) => base === null || branch === base)
    return wanted.map(({ number, headId, branch }) => ({ number, head: { sha: headId }, base: { ref: branch } }))
  }
  const setStatus = (commit: string, body: Record<string, unknown>): object | undefined => {
    const { state, description } = body
    const name = kind === 'gitlab' ? 'name' : 'context'
    const isSound = STATES[kind].includes(String(state)) && typeof description === 'string' && description.length <= 140
    if (!isSound || body[name] !== 'drover' || !/^[0-9a-f]{40}$/.test(commit)) return undefined
    standIn.statuses.set(commit, [...(standIn.statuses.get(commit) ?? []), { state: String(state), description: String(description) }])
    return { id: nextId++ }
  }
  const answer = (method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): [number, object | undefined] => {
    const rest = path.startsWith(top) ? path.slice(top.length) : ''
    const lists = kind === 'gitlab' ? '/merge_requests' : '/pulls'
    if (method === 'GET' && rest === lists) {
      const wanted = listRequests(query)
      return [200, wanted === undefined ? undefined : page(wanted, query)]
    }
    const [, commit] = /^\/statuses\/(\w+)$/.exec(rest) ?? []
    const newest = standIn.statuses.get(commit ?? '')?.at(-1)
    if (standIn.keepsStates && newest !== undefined && newest.state === body['state'])
      return [400, { message: `Cannot transition status via :succeed from :${newest.state}` }]
    if (method === 'POST' && commit !== undefined) return [201, setStatus(commit, body)]
    const [, read] = (kind === 'gitlab' && /^\/repository\/commits\/(\w+)\/statuses$/.exec(rest)) || []
    if (method === 'GET' && read !== undefined && query.get('name') === 'drover')
      return [200, (standIn.statuses.get(read) ?? []).map(({ state }) => ({ status: state, name: 'drover' })).reverse()]
    const listed = (kind === 'gitlab' ? /^\/merge_requests\/(\d+)\/notes$/ : /^\/issues\/(\d+)\/comments$/).exec(rest)
    if (listed !== null && method === 'GET') return [200, page(commentsOf(Number(listed[1])), query)]
    if (listed !== null && method === 'POST' && typeof body['body'] === 'string') {
      const made = { id: nextId++, body: body['body'] }
      commentsOf(Number(listed[1])).push(made)
      return [201, made]
    }
    const edited = (kind === 'gitlab' ? /^\/merge_requests\/\d+\/notes\/(\d+)$/ : /^\/issues\/comments\/(\d+)$/).exec(rest)
    if (edited !== null && method === (kind === 'gitlab' ? 'PUT' : 'PATCH') && typeof body['body'] === 'string') {
      const id = Number(edited[1])
      const found = [...standIn.comments.values()].flat().find((comment) => comment.id === id)
      if (standIn.foreign.has(id)) return [403, {}]
      if (found === undefined) return [404, {}]
      found.body = body['body']
      return [200, found]
    }
    return [400, undefined]
  }
  const server = createServer((request, response) => {
    void readBody(request).then((text) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      standIn.asked.push(`${request.method} ${url.pathname}`)
      if (standIn.outage !== undefined) {
        response.writeHead(standIn.outage.status, standIn.outage.headers).end('{"message": "not now"}')
        return
      }
      const wrong = Object.entries(TOKEN_HEADERS[kind](token)).find(([name, value]) => request.headers[name] !== value)
      const hasAgent = request.headers['user-agent'] === 'drover'
      const isJson = text === '' || request.headers['content-type'] === 'application/json'
      const [status, body] =
        wrong === undefined && hasAgent && isJson
          ? answer(request.method ?? '', url.pathname, url.searchParams, text === '' ? {} : (JSON.parse(text) as Record<string, unknown>))
          : ([wrong?.[0] === 'accept' ? 415 : 401, {}] as [number, object])
      if (body === undefined) standIn.refused.push(`${request.method} ${request.url} ${text}`)
      response.writeHead(body === undefined ? 400 : status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  standIn.api = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return Object.assign(standIn, {
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  })
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
