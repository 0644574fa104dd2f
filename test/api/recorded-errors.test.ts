import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allocation, job, node, uuid } from '../fixtures.js'
import { World } from './world.js'

interface RecordedError {
  readonly case: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query?: string
    readonly body?: unknown
    readonly text?: string
  }
  readonly status: number
  readonly indexHeader: boolean
  readonly body: string
}

/** Families whose answers depend on the request alone, or on an object not being there. */
const FAMILIES = /^(errors-method|errors-parameters|errors-unknown|acl|misc|search)\//

/** What is refused whatever it says: writes (docs/differences.md), and the token of `lamp-web` that is not in this world. */
const WRITES = new Set(['PUT', 'POST', 'DELETE'])

function isOther({ request, status, body }: RecordedError): boolean {
  const isRefusedWrite = WRITES.has(request.method) && status !== 405 && !request.path.startsWith('/v1/search')
  // These need agents, or belong to what is not part of Drover (docs/differences.md).
  return isRefusedWrite || /event\/stream|keyring|acl\/token$/.test(request.path) || body.startsWith('{')
}

const recorded = (JSON.parse(readFileSync('test/vectors/data/api/errors.json', 'utf8')) as readonly RecordedError[]).filter(
  (error) => FAMILIES.test(error.case) && !isOther(error),
)

/** Parser texts need only agree up to where they quote the grammar. */
function comparable(text: string): string {
  return text.replace(/(failed to read filter expression: ).*$/s, '$1')
}

test('what cannot be understood or is not there is told in the words and with the status of Nomad', async () => {
  const world = new World()
  const lamp = world.register(job({ ID: 'lamp' }))
  world.change((state, index) => {
    const at = { CreateIndex: index, ModifyIndex: index }
    state.nodes.put(index, { ...node(), ...at })
    state.allocations.put(index, { ...allocation({ JobID: 'lamp', JobCreateIndex: lamp.CreateIndex, ID: uuid(9, 0xb0) }), ...at })
    state.services.put(index, {
      ID: '_nomad-task-x',
      ServiceName: 'lamp-web',
      Namespace: 'default',
      NodeID: '',
      Datacenter: '',
      JobID: 'lamp',
      AllocID: '',
      Tags: null,
      Address: '',
      Port: 0,
      ...at,
    })
    state.evaluations.put(index, {
      ID: uuid(1, 0xc0),
      Namespace: 'default',
      Priority: 50,
      Type: 'service',
      TriggeredBy: 'job-register',
      JobID: 'lamp',
      Status: 'pending',
      CreateTime: 0,
      ModifyTime: 0,
      ...at,
    })
  })
  const differences: string[] = []
  for (const { case: name, request, status, indexHeader, body } of recorded) {
    const path = request.query === undefined ? request.path : `${request.path}?${request.query}`
    const answer = await world.send(request.method, path, request.body ?? request.text)
    const got = `${answer.status} ${request.method === 'HEAD' ? '' : comparable(answer.text)} ${answer.headers['x-nomad-index'] !== undefined}`
    const want = `${status} ${comparable(body)} ${indexHeader}`
    if (got !== want) differences.push(`${name} ${request.method} ${path}: want ${want}, got ${got}`)
  }
  expect(differences).toEqual([])
  expect(recorded.length).toBeGreaterThan(100)
})
