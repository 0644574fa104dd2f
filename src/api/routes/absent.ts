/**
 * What Drover has not, answered as a cluster of Nomad without it: volumes, plugins, access control and what only
 * the enterprise release knows.
 */

import type { StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeText } from '../encode.js'
import { type ApiError, badRequest, notFound, notSupported } from '../errors.js'
import type { WatchKey } from '../ports.js'
import type { Call, Handler, Route } from '../router.js'
import { reading } from './reading.js'

const EMPTY_LIST = encodeText('[]')
/** Nothing is ever stored, so nothing wakes whoever waits. */
const NOTHING: readonly WatchKey[] = []

/** With access control off everyone has this token. */
const PSEUDO_TOKEN = encodeText(
  JSON.stringify({
    AccessorID: 'acls-disabled',
    SecretID: '',
    Name: 'ACLs disabled token',
    Type: 'client',
    Policies: null,
    Roles: null,
    Global: false,
    Hash: null,
    CreateTime: '0001-01-01T00:00:00Z',
    ExpirationTime: null,
    ExpirationTTL: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  }),
)

export function absentRoutes(deps: ReadDeps): readonly Route[] {
  const read = (pattern: string, query: (view: StateView, call: Call) => Reading): Route => ({
    pattern,
    methods: { GET: reading(deps, query) },
  })
  const refuse = (pattern: string, refusal: () => ApiError): Route => ({ pattern, methods: { '*': refusing(refusal) } })
  const enterprise = () => notSupported('Nomad Enterprise only endpoint')
  return [
    read('/v1/volumes', (_, call) => {
      if (!['', 'csi', 'host'].includes(call.parameters.text('type'))) throw notFound('resource not found')
      return { index: 0, watch: NOTHING, body: EMPTY_LIST }
    }),
    read('/v1/plugins', () => ({ index: 0, watch: NOTHING, body: EMPTY_LIST })),
    read('/v1/volume/csi/:id', () => ({ index: 0, watch: NOTHING, body: notFound('volume not found') })),
    read('/v1/volume/host/:id', () => ({ index: 0, watch: NOTHING, body: notFound('volume not found') })),
    read('/v1/plugin/csi/:id', () => ({ index: 0, watch: NOTHING, body: notFound('plugin not found') })),
    read('/v1/acl/token/self', () => ({ index: 0, watch: NOTHING, body: PSEUDO_TOKEN })),
    refuse('/v1/acl/:id', () => badRequest('ACL support disabled')),
    ...[
      '/v1/quotas',
      '/v1/quota',
      '/v1/quota/:id',
      '/v1/sentinel/:id',
      '/v1/recommendations',
      '/v1/recommendation',
      '/v1/recommendation/:id',
    ].map((pattern) => refuse(pattern, enterprise)),
    ...[
      '/v1/operator/keyring/:id',
      '/v1/operator/snapshot',
      '/v1/agent/pprof/:id',
      '/v1/agent/keyring/:id',
      '/v1/agent/monitor',
      '/v1/agent/host',
    ].map((pattern) => refuse(pattern, () => notSupported('not part of Drover'))),
  ]
}

function refusing(refusal: () => ApiError): Handler {
  return () => {
    throw refusal()
  }
}
