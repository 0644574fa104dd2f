/**
 * Pull requests, statuses and comments of GitHub, GitLab and Gitea. Sources: GitHub REST API (2022-11-28) "pulls", "statuses", "issues /
 * comments"; GitLab REST API v4 "merge requests", "commits / statuses", "notes"; Gitea API v1, the same names as GitHub's.
 */
import type { CommitStatus, Forge, MergeRequest } from '../../controller/index.js'
import type { Secret } from '../secret.js'
import { ForgeClient, ForgeError } from './forge-client.js'

export interface ForgeOptions {
  readonly kind: 'github' | 'gitlab' | 'gitea'
  readonly api: string
  /** `owner/name`; of GitLab also with groups. */
  readonly project: string
  readonly token: Secret
  readonly nowMs: () => number
}

const PER_PAGE = 100
/** Gitea gives no more, whatever is asked for. */
const GITEA_PER_PAGE = 50
const PAGES_MAX = 10
const STATUS_CONTEXT = 'drover'
/** GitHub refuses longer ones. */
const DESCRIPTION_LENGTH_MAX = 140

interface Comment {
  readonly id: number
  readonly body: string
}

/** Where a forge has its comments, and how it takes them. */
interface CommentPaths {
  readonly list: (page: number) => string
  readonly create: string
  readonly edit: (id: number) => { readonly method: 'PATCH' | 'PUT'; readonly path: string }
}

export function createForge(options: ForgeOptions): Forge {
  switch (options.kind) {
    case 'github':
      return new PullForge(options, GITHUB)
    case 'gitlab':
      return new GitlabForge(options)
    case 'gitea':
      return new PullForge(options, GITEA)
  }
}

/** Row by row, asked for page by page as far as somebody reads on. */
async function* listed<Row>(client: ForgeClient, perPage: number, pathOf: (page: number) => string): AsyncGenerator<Row> {
  for (let page = 1; page <= PAGES_MAX; page++) {
    const rows = await client.ask<readonly Row[]>('GET', pathOf(page))
    yield* rows
    if (rows.length < perPage) return
  }
}

/** Keeps one comment of a request up to date: the one that begins with the marker. */
class OneComment {
  readonly #client: ForgeClient
  readonly #perPage: number
  /** By request: those that were written here. */
  readonly #known = new Map<number, number>()

  constructor(client: ForgeClient, perPage: number) {
    this.#client = client
    this.#perPage = perPage
  }

  async put(request: number, marker: string, body: string, paths: CommentPaths): Promise<void> {
    const id = this.#known.get(request) ?? (await this.#find(marker, paths))
    if (id !== undefined && (await this.#edit(id, body, paths))) {
      this.#known.set(request, id)
      return
    }
    const made = await this.#client.ask<Comment>('POST', paths.create, { body })
    this.#known.set(request, made.id)
  }

  async #find(marker: string, paths: CommentPaths): Promise<number | undefined> {
    for await (const comment of listed<Comment>(this.#client, this.#perPage, paths.list))
      if (comment.body.startsWith(marker)) return comment.id
    return undefined
  }

  /** False: it is gone, or somebody else's. */
  async #edit(id: number, body: string, paths: CommentPaths): Promise<boolean> {
    const { method, path } = paths.edit(id)
    try {
      await this.#client.ask(method, path, { body })
      return true
    } catch (error) {
      if (error instanceof ForgeError && (error.status === 404 || error.status === 403)) return false
      throw error
    }
  }
}

/** What tells two forges apart that otherwise have the same API. */
interface PullDialect {
  readonly headersOf: (token: string) => Readonly<Record<string, string>>
  readonly perPage: number
  /** The parameter that says how many are wanted. */
  readonly size: string
  /** What else narrows a list of pulls down to those into a branch; what is left is sorted out here. */
  readonly intoBranch: (branch: string) => string
}

const GITHUB: PullDialect = {
  headersOf: (token) => ({
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  }),
  perPage: PER_PAGE,
  size: 'per_page',
  intoBranch: (branch) => `&base=${encodeURIComponent(branch)}`,
}

const GITEA: PullDialect = {
  headersOf: (token) => ({ authorization: `token ${token}` }),
  perPage: GITEA_PER_PAGE,
  size: 'limit',
  intoBranch: () => '',
}

interface Pull {
  readonly number: number
  readonly head: { readonly sha: string }
  readonly base: { readonly ref: string }
}

class PullForge implements Forge {
  readonly #client: ForgeClient
  readonly #comments: OneComment
  readonly #project: string
  readonly #dialect: PullDialect

  constructor({ api, token, project, nowMs }: ForgeOptions, dialect: PullDialect) {
    this.#client = new ForgeClient({ api, token, nowMs, headersOf: dialect.headersOf })
    this.#comments = new OneComment(this.#client, dialect.perPage)
    this.#project = `/repos/${project}`
    this.#dialect = dialect
  }

  async openRequests(branch: string): Promise<readonly MergeRequest[]> {
    const { size, perPage, intoBranch } = this.#dialect
    const path = `${this.#project}/pulls?state=open${intoBranch(branch)}&${size}=${perPage}`
    const requests: MergeRequest[] = []
    for await (const { number, head, base } of listed<Pull>(this.#client, perPage, (page) => `${path}&page=${page}`))
      if (base.ref === branch) requests.push({ number, headId: head.sha, ref: `refs/pull/${number}/head` })
    return requests
  }

  async setStatus(commitId: string, { state, description }: CommitStatus): Promise<void> {
    const body = { state, context: STATUS_CONTEXT, description: shortened(description) }
    await this.#client.ask('POST', `${this.#project}/statuses/${commitId}`, body)
  }

  putComment(request: number, marker: string, body: string): Promise<void> {
    const { size, perPage } = this.#dialect
    const issues = `${this.#project}/issues`
    return this.#comments.put(request, marker, body, {
      list: (page) => `${issues}/${request}/comments?${size}=${perPage}&page=${page}`,
      create: `${issues}/${request}/comments`,
      edit: (id) => ({ method: 'PATCH', path: `${issues}/comments/${id}` }),
    })
  }
}

interface GitlabRequest {
  readonly iid: number
  readonly sha: string | null
}

/** Its word for each state. */
const GITLAB_STATES = { success: 'success', failure: 'failed' } as const

class GitlabForge implements Forge {
  readonly #client: ForgeClient
  readonly #comments: OneComment
  readonly #project: string

  constructor({ api, token, project, nowMs }: ForgeOptions) {
    this.#client = new ForgeClient({ api, token, nowMs, headersOf: (secret) => ({ 'private-token': secret }) })
    this.#comments = new OneComment(this.#client, PER_PAGE)
    this.#project = `/projects/${encodeURIComponent(project)}`
  }

  async openRequests(branch: string): Promise<readonly MergeRequest[]> {
    const path = `${this.#project}/merge_requests?state=opened&target_branch=${encodeURIComponent(branch)}&per_page=${PER_PAGE}`
    const requests: MergeRequest[] = []
    // One without a commit has none.
    for await (const { iid, sha } of listed<GitlabRequest>(this.#client, PER_PAGE, (page) => `${path}&page=${page}`))
      if (sha !== null) requests.push({ number: iid, headId: sha, ref: `refs/merge-requests/${iid}/head` })
    return requests
  }

  async setStatus(commitId: string, { state, description }: CommitStatus): Promise<void> {
    const body = { state: GITLAB_STATES[state], name: STATUS_CONTEXT, description: shortened(description) }
    try {
      await this.#client.ask('POST', `${this.#project}/statuses/${commitId}`, body)
    } catch (error) {
      if (!(error instanceof ForgeError) || error.status !== 400 || !(await this.#hasState(commitId, body.state))) throw error
    }
  }

  /** Releases that refuse to set a state again: https://gitlab.com/gitlab-org/gitlab-foss/-/issues/25807 */
  async #hasState(commitId: string, state: string): Promise<boolean> {
    const path = `${this.#project}/repository/commits/${commitId}/statuses?name=${STATUS_CONTEXT}`
    const [newest] = await this.#client.ask<readonly { status: string }[]>('GET', path)
    return newest?.status === state
  }

  putComment(request: number, marker: string, body: string): Promise<void> {
    const notes = `${this.#project}/merge_requests/${request}/notes`
    return this.#comments.put(request, marker, body, {
      list: (page) => `${notes}?sort=asc&per_page=${PER_PAGE}&page=${page}`,
      create: notes,
      edit: (id) => ({ method: 'PUT', path: `${notes}/${id}` }),
    })
  }
}

function shortened(text: string): string {
  return text.length <= DESCRIPTION_LENGTH_MAX ? text : `${text.slice(0, DESCRIPTION_LENGTH_MAX - 1)}…`
}
