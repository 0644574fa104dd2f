#!/usr/bin/env node
// Compares the answers of a running server with the recorded shapes of Nomad's answers (test/vectors/data/api/shapes.json).
//
//   node check-api-shapes.mjs --address http://127.0.0.1:4646 [--routes substring,substring] [--shapes file] [--strict] [--json]
//                             [--token secret] [--limit n] [--stream-ms n]
//
// It reads the lists, takes identifiers from them, GETs every read route it has identifiers for (and POSTs the two searches,
// which change nothing), and reports per route: members that are always present but missing, types never seen, nulls never
// seen, values outside a closed vocabulary, malformed uuids and times, and missing headers. `--strict` also reports members
// the reference never sent.
// Exit code: 0 nothing wrong, 1 mismatches, 2 the server could not be reached.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'

const option = (name, fallback) => {
  const i = process.argv.indexOf(`--${name}`)
  return i < 0 ? fallback : process.argv[i + 1]
}
const flag = (name) => process.argv.includes(`--${name}`)
const address = option('address', process.env.NOMAD_ADDR ?? 'http://127.0.0.1:4646').replace(/\/$/, '')
const shapes = JSON.parse(readFileSync(option('shapes', new URL('../vectors/data/api/shapes.json', import.meta.url)), 'utf8'))
const only = (option('routes', '') || '').split(',').filter(Boolean)
const limit = Number(option('limit', 12))
const streamMs = Number(option('stream-ms', 2500))
const strict = flag('strict')
const token = option('token', process.env.NOMAD_TOKEN)
if (flag('help')) {
  console.log(
    readFileSync(new URL(import.meta.url), 'utf8')
      .split('\n')
      .slice(1, 12)
      .map((l) => l.replace(/^\/\/ ?/, ''))
      .join('\n'),
  )
  process.exit(0)
}

function call(method, path, body, cutMs) {
  return new Promise((resolve, reject) => {
    const url = new URL(address + path)
    const data = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      ...(token ? { 'X-Nomad-Token': token } : {}),
      ...(data ? { 'Content-Length': Buffer.byteLength(data), 'Content-Type': 'application/json' } : {}),
    }
    const req = (url.protocol === 'https:' ? https : http).request(url, { method, headers }, (res) => {
      const chunks = []
      const end = () => resolve({ status: res.statusCode, headers: res.headers, text: Buffer.concat(chunks).toString('utf8') })
      res.on('data', (c) => chunks.push(c))
      res.on('end', end)
      res.on('error', end)
      if (cutMs)
        setTimeout(() => {
          end()
          req.destroy()
        }, cutMs).unref()
    })
    req.on('error', reject)
    req.setTimeout(30000, () => req.destroy(new Error('no answer within 30 s')))
    if (data) req.write(data)
    req.end()
  })
}

const isUuid = (s) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(s)
const isTime = (s) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(s)

/** Rows of one route as a tree: name -> child, '[]' -> items, '{}' -> values. */
function tree(rows) {
  const root = { row: undefined, props: new Map(), items: undefined, map: undefined }
  for (const [path, row] of Object.entries(rows)) {
    let at = root
    if (path !== '$')
      for (const part of path.match(/\[\]|\{\}|[^.[\]{}]+/g) ?? []) {
        if (part === '[]') at = at.items ??= fresh()
        else if (part === '{}') at = at.map ??= fresh()
        else {
          if (!at.props.has(part)) at.props.set(part, fresh())
          at = at.props.get(part)
        }
      }
    at.row = row
  }
  return root
}
const fresh = () => ({ row: undefined, props: new Map(), items: undefined, map: undefined })

const typeOf = (v) =>
  v === null
    ? 'null'
    : Array.isArray(v)
      ? v.length
        ? 'array'
        : 'array-empty'
      : typeof v === 'number'
        ? Number.isInteger(v)
          ? 'integer'
          : 'number'
        : typeof v
function allowed(row, type) {
  const t = row.types
  // Nothing but null (or nothing at all) was recorded: the other type is unknown.
  if (t.every((x) => x === 'null')) return true
  if (t.includes(type)) return true
  if (type === 'integer') return t.includes('number')
  if (type === 'array' || type === 'array-empty') return t.includes('array') || t.includes('array-empty')
  return false
}

function compare(node, value, path, found) {
  const { row } = node
  const type = typeOf(value)
  if (row) {
    if (!allowed(row, type)) {
      found(type === 'null' ? 'unexpected null' : 'wrong type', path, `${type}, the reference sends ${row.types.join(' or ')}`)
      return
    }
    if (type === 'string') {
      if (row.format === 'uuid' && value !== '' && !isUuid(value)) found('not a uuid', path, JSON.stringify(value).slice(0, 60))
      if (row.format === 'rfc3339' && value !== '' && !isTime(value))
        found('not an RFC 3339 time', path, JSON.stringify(value).slice(0, 60))
      if (row.enum && !row.enum.includes(value))
        found('value outside the vocabulary', path, `${JSON.stringify(value)}, known: ${row.enum.join(' ')}`)
    }
  }
  if (Array.isArray(value)) {
    if (node.items) for (const item of value) compare(node.items, item, `${path}[]`, found)
  } else if (value && typeof value === 'object') {
    if (node.map) {
      for (const v of Object.values(value)) compare(node.map, v, `${path}{}`, found)
      return
    }
    for (const [name, child] of node.props) {
      if (name in value) compare(child, value[name], path ? `${path}.${name}` : name, found)
      else if (child.row?.presence === 'always')
        found('missing', path ? `${path}.${name}` : name, `always present in ${child.row.seen} recorded objects`)
    }
    if (strict && node.props.size)
      for (const name of Object.keys(value))
        if (!node.props.has(name)) found('extra', path ? `${path}.${name}` : name, 'never sent by the reference')
  }
}

const report = new Map()
const route = (key) => {
  if (!report.has(key)) report.set(key, { requests: 0, served: 0, notServed: 0, statuses: new Set(), mismatches: new Map() })
  return report.get(key)
}

const answers = new Map()
/** GETs one path, compares it when the route is recorded, and answers the parsed body. */
async function visit(key, path, { method = 'GET', body, stream } = {}) {
  if (answers.has(method + path)) return answers.get(method + path)
  const wanted = !only.length || only.some((o) => key.includes(o))
  const r = await call(method, path, body, stream)
  let json
  try {
    json = r.text === '' ? undefined : JSON.parse(r.text)
  } catch {
    json = undefined
  }
  answers.set(method + path, json)
  if (!wanted) return r.status === 200 ? json : undefined
  const entry = route(key)
  entry.requests++
  entry.statuses.add(r.status)
  const found = (kind, at, detail) => {
    const id = `${kind}: ${at || '(body)'}`
    const m = entry.mismatches.get(id) ?? { kind, path: at || '(body)', detail, count: 0, example: path }
    m.count++
    entry.mismatches.set(id, m)
  }
  if (r.status === 404 || r.status === 501) {
    entry.notServed++
    entry.missed ??= `${path} -> ${r.status} ${r.text.slice(0, 80)}`
    return undefined
  }
  if (r.status !== 200) {
    found('status', '(response)', `${r.status} ${r.text.slice(0, 120)}`)
    return undefined
  }
  entry.served++
  const shape = shapes[key]
  if (!shape) return json
  for (const [h, presence] of Object.entries(shape.meta.headers))
    if (presence === 'always' && r.headers[h.toLowerCase()] === undefined) found('missing header', h, 'always sent by the reference')
  const index = r.headers['x-nomad-index']
  if (index !== undefined && !/^\d+$/.test(index)) found('malformed header', 'X-Nomad-Index', index)
  const wantsJson = shape.meta.contentTypes.every((c) => c.startsWith('application/json'))
  if (wantsJson && !/^application\/json/.test(r.headers['content-type'] ?? ''))
    found(
      'content type',
      '(response)',
      `${r.headers['content-type'] ?? 'none'}, the reference sends ${shape.meta.contentTypes.join(' or ')}`,
    )
  if (Object.keys(shape.body).length && wantsJson) {
    if (r.text === '') {
      if (!shape.meta.emptyBodies) found('empty body', '', 'the reference sends JSON')
    } else if (json === undefined) found('not JSON', '', r.text.slice(0, 80))
    else {
      shape.tree ??= tree(shape.body)
      compare(shape.tree, json, '', found)
    }
  }
  return json
}

const some = (list) =>
  Array.isArray(list) ? [...list.slice(0, Math.ceil(limit / 2)), ...list.slice(Math.ceil(limit / 2)).slice(-Math.floor(limit / 2))] : []
/** A few of each kind, so that every status and type is looked at. */
function varied(list, key) {
  const groups = new Map()
  for (const x of Array.isArray(list) ? list : []) {
    const k = key(x)
    groups.set(k, [...(groups.get(k) ?? []), x])
  }
  return [...groups.values()].flatMap((g) => g.slice(0, Math.max(1, Math.ceil(limit / Math.max(1, groups.size)))))
}

async function main() {
  const get = (key, path, opt) => visit(`GET ${key}`, path, opt)
  const jobs = await get('/v1/jobs', '/v1/jobs?namespace=*')
  await get('/v1/jobs', '/v1/jobs')
  await get('/v1/jobs', '/v1/jobs?meta=true')
  await get('/v1/jobs', '/v1/jobs?per_page=2')
  await get('/v1/jobs', '/v1/jobs?prefix=no-such-prefix')
  await get('/v1/jobs/statuses', '/v1/jobs/statuses?namespace=*')
  await get('/v1/jobs/statuses', '/v1/jobs/statuses?namespace=*&include_children=true')
  const allocations = await get('/v1/allocations', '/v1/allocations?namespace=*')
  await get('/v1/allocations', '/v1/allocations?namespace=*&resources=true')
  await get('/v1/allocations', '/v1/allocations?namespace=*&task_states=false')
  const evaluations = await get('/v1/evaluations', '/v1/evaluations?namespace=*')
  await get('/v1/evaluations/count', '/v1/evaluations/count?namespace=*')
  const deployments = await get('/v1/deployments', '/v1/deployments?namespace=*')
  const nodes = await get('/v1/nodes', '/v1/nodes')
  await get('/v1/nodes', '/v1/nodes?os=true')
  await get('/v1/nodes', '/v1/nodes?resources=true')
  const pools = await get('/v1/node/pools', '/v1/node/pools')
  const namespaces = await get('/v1/namespaces', '/v1/namespaces')
  const services = await get('/v1/services', '/v1/services?namespace=*')
  const policies = await get('/v1/scaling/policies', '/v1/scaling/policies?namespace=*')
  const variables = await get('/v1/vars', '/v1/vars?namespace=*')
  for (const p of [
    '/v1/regions',
    '/v1/status/leader',
    '/v1/status/peers',
    '/v1/agent/self',
    '/v1/agent/members',
    '/v1/agent/health',
    '/v1/agent/servers',
    '/v1/agent/schedulers',
    '/v1/agent/schedulers/config',
    '/v1/metrics',
    '/v1/operator/scheduler/configuration',
    '/v1/operator/raft/configuration',
    '/v1/operator/autopilot/configuration',
    '/v1/operator/autopilot/health',
    '/v1/client/stats',
    '/v1/client/metadata',
  ])
    if (shapes[`GET ${p}`]) await get(p, p)
  for (const [key, path] of [
    ['/v1/volumes', '/v1/volumes?type=csi'],
    ['/v1/volumes', '/v1/volumes?type=host'],
    ['/v1/plugins', '/v1/plugins?type=csi'],
  ])
    if (shapes[`GET ${key}`]) await get(key, path)

  for (const j of varied(jobs, (x) => `${x.Type} ${x.Status} ${x.Periodic} ${x.ParameterizedJob} ${x.ParentID !== ''} ${x.Namespace}`)) {
    const base = `/v1/job/${encodeURIComponent(j.ID)}`,
      ns = `namespace=${encodeURIComponent(j.Namespace)}`
    const full = await get('/v1/job/:job_id', `${base}?${ns}`)
    for (const a of ['summary', 'allocations', 'evaluations', 'deployments', 'deployment', 'services', 'scale', 'versions', 'actions'])
      await get(`/v1/job/:job_id/${a}`, `${base}/${a}?${ns}`)
    await get('/v1/job/:job_id/versions', `${base}/versions?${ns}&diffs=true`)
    await get('/v1/job/:job_id/submission', `${base}/submission?${ns}&version=${full?.Version ?? 0}`)
  }
  for (const a of varied(allocations, (x) => `${x.ClientStatus} ${x.DesiredStatus} ${x.JobType}`)) {
    const ns = `namespace=${encodeURIComponent(a.Namespace)}`
    await get('/v1/allocation/:alloc_id', `/v1/allocation/${a.ID}?${ns}`)
    await get('/v1/allocation/:alloc_id/services', `/v1/allocation/${a.ID}/services?${ns}`)
    if (a.ClientStatus === 'running' || a.ClientStatus === 'complete') {
      await get('/v1/client/allocation/:alloc_id/checks', `/v1/client/allocation/${a.ID}/checks?${ns}`)
      await get('/v1/client/allocation/:alloc_id/stats', `/v1/client/allocation/${a.ID}/stats?${ns}`)
      await get('/v1/client/fs/ls/:alloc_id', `/v1/client/fs/ls/${a.ID}?path=/&${ns}`)
      await get('/v1/client/fs/stat/:alloc_id', `/v1/client/fs/stat/${a.ID}?path=/alloc&${ns}`)
      const task = Object.keys(a.TaskStates ?? {})[0]
      if (task)
        await get(
          '/v1/client/fs/logs/:alloc_id',
          `/v1/client/fs/logs/${a.ID}?task=${encodeURIComponent(task)}&type=stdout&plain=true&follow=false&${ns}`,
        )
    }
  }
  for (const e of varied(evaluations, (x) => `${x.TriggeredBy} ${x.Status}`)) {
    const ns = `namespace=${encodeURIComponent(e.Namespace)}`
    await get('/v1/evaluation/:eval_id', `/v1/evaluation/${e.ID}?${ns}`)
    await get('/v1/evaluation/:eval_id', `/v1/evaluation/${e.ID}?related=true&${ns}`)
    await get('/v1/evaluation/:eval_id/allocations', `/v1/evaluation/${e.ID}/allocations?${ns}`)
  }
  for (const d of varied(deployments, (x) => x.Status)) {
    await get('/v1/deployment/:deployment_id', `/v1/deployment/${d.ID}`)
    await get('/v1/deployment/allocations/:deployment_id', `/v1/deployment/allocations/${d.ID}`)
  }
  for (const n of some(nodes)) {
    await get('/v1/node/:node_id', `/v1/node/${n.ID}`)
    await get('/v1/node/:node_id/allocations', `/v1/node/${n.ID}/allocations`)
    if (n.Status === 'ready') {
      await get('/v1/client/stats', `/v1/client/stats?node_id=${n.ID}`)
      await get('/v1/client/metadata', `/v1/client/metadata?node_id=${n.ID}`)
    }
  }
  for (const p of some(pools)) {
    await get('/v1/node/pool/:pool_name', `/v1/node/pool/${p.Name}`)
    await get('/v1/node/pool/:pool_name/nodes', `/v1/node/pool/${p.Name}/nodes`)
    await get('/v1/node/pool/:pool_name/jobs', `/v1/node/pool/${p.Name}/jobs?namespace=*`)
  }
  for (const n of some(namespaces)) await get('/v1/namespace/:namespace', `/v1/namespace/${n.Name}`)
  for (const ns of some(services))
    for (const s of some(ns.Services)) await get('/v1/service/:service_name', `/v1/service/${s.ServiceName}?namespace=${ns.Namespace}`)
  for (const p of some(policies)) await get('/v1/scaling/policy/:policy_id', `/v1/scaling/policy/${p.ID}`)
  for (const v of some(variables)) await get('/v1/var/:path', `/v1/var/${v.Path}?namespace=${v.Namespace}`)
  await visit('PUT /v1/search', '/v1/search?namespace=*', { method: 'PUT', body: { Prefix: '', Context: 'all' } })
  await visit('PUT /v1/search/fuzzy', '/v1/search/fuzzy?namespace=*', { method: 'PUT', body: { Text: 'er', Context: 'all' } })

  // the event stream, line by line
  const key = 'GET /v1/event/stream (each line)'
  if (shapes[key] && (!only.length || only.some((o) => key.includes(o)))) {
    const r = await call('GET', '/v1/event/stream?namespace=*', undefined, streamMs)
    const entry = route(key)
    entry.requests++
    entry.statuses.add(r.status)
    if (r.status === 404 || r.status === 501) entry.notServed++
    else {
      entry.served++
      const found = (kind, at, detail) => {
        const id = `${kind}: ${at}`
        const m = entry.mismatches.get(id) ?? { kind, path: at, detail, count: 0, example: '/v1/event/stream' }
        m.count++
        entry.mismatches.set(id, m)
      }
      if (r.status !== 200) found('status', '(response)', String(r.status))
      const lines = r.text.split('\n')
      if (lines.pop() !== '' && r.status === 200) {
        /* the last line was cut by us */
      }
      const t = tree(shapes[key].body)
      for (const l of lines) {
        if (l === '' || l === '{}') continue
        let o
        try {
          o = JSON.parse(l)
        } catch {
          found('not JSON', '(line)', l.slice(0, 80))
          continue
        }
        compare(t, o, '', found)
      }
    }
  }
}

try {
  await main()
} catch (e) {
  console.error(`cannot check ${address}: ${e.message}`)
  process.exit(2)
}

// A route that serves some objects of its list and denies others. A job may have no source; data of an allocation may be collected or its node gone.
const mayMiss = (key) => /\/submission$|^GET \/v1\/client\/|\/checks$/.test(key)
let bad = 0
const plain = {}
for (const [key, e] of report) {
  if (e.served && e.notServed && !mayMiss(key))
    e.mismatches.set('denied', {
      kind: 'status',
      path: '(response)',
      detail: `404 or 501 for ${e.notServed} of ${e.requests} existing objects`,
      count: e.notServed,
      example: e.missed,
    })
  bad += e.mismatches.size
  plain[key] = {
    requests: e.requests,
    served: e.served,
    notServed: e.served === 0 && e.notServed > 0,
    statuses: [...e.statuses],
    mismatches: [...e.mismatches.values()],
  }
}
const notChecked = Object.keys(shapes).filter(
  (k) => k.startsWith('GET ') && !report.has(k) && (!only.length || only.some((o) => k.includes(o))),
)
if (flag('json')) console.log(JSON.stringify({ address, routes: plain, notChecked, mismatches: bad }, null, 1))
else {
  const keys = Object.keys(plain).sort()
  for (const k of keys) {
    const e = plain[k]
    if (e.mismatches.length) {
      console.log(`\n${k}   (${e.served} answers)`)
      for (const m of e.mismatches)
        console.log(`  ${m.kind}: ${m.path}   ${m.detail}${m.count > 1 ? `   (${m.count} times)` : ''}\n      e.g. ${m.example}`)
    }
  }
  const ok = keys.filter((k) => plain[k].served && !plain[k].mismatches.length)
  const missing = keys.filter((k) => plain[k].notServed)
  console.log(
    `\n${ok.length} routes match, ${keys.filter((k) => plain[k].mismatches.length).length} differ (${bad} differences), ${missing.length} not served, ${notChecked.length} not reached`,
  )
  if (missing.length) console.log(`not served:\n  ${missing.join('\n  ')}`)
  if (notChecked.length) console.log(`not reached (nothing to ask for, or not a plain read):\n  ${notChecked.join('\n  ')}`)
}
process.exit(bad ? 1 : 0)
