/** `/` and `/ui/`: a plain page that leads to what can be read, until there is a dashboard. */
import { emptyAnswer, textAnswer } from '../request.js'
import type { Call, Route } from '../router.js'

const LINKS: readonly (readonly [path: string, what: string])[] = [
  ['/v1/jobs?namespace=*&pretty', 'jobs'],
  ['/v1/allocations?namespace=*&pretty', 'allocations'],
  ['/v1/deployments?namespace=*&pretty', 'deployments'],
  ['/v1/evaluations?namespace=*&pretty', 'evaluations'],
  ['/v1/nodes?pretty', 'nodes'],
  ['/v1/services?namespace=*&pretty', 'services'],
  ['/drover/v1/source?pretty', 'the repository: commit, files with mistakes, removals that wait'],
  ['/v1/metrics?pretty', 'metrics'],
]

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Drover</title></head>
<body>
<h1>Drover</h1>
<p>What runs here is what the repository says: commit a job file to change it.</p>
<ul>
${LINKS.map(([path, what]) => `<li><a href="${path.replaceAll('&', '&amp;')}">${what}</a></li>`).join('\n')}
</ul>
</body>
</html>
`

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; connect-src *; img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'",
}

export const uiRoutes: readonly Route[] = [
  { pattern: '/', methods: { GET: toPage } },
  { pattern: '/ui', methods: { GET: toPage } },
  { pattern: '/ui/:id', methods: { GET: () => textAnswer(200, PAGE, HEADERS) } },
]

function toPage({ request }: Call) {
  return emptyAnswer(307, { Location: request.query === '' ? '/ui/' : `/ui/?${request.query}` })
}
