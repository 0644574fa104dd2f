/**
 * Who may do what on the broker, as configuration for nats-server: one user a program, known by the key that it has anyway. A host
 * speaks and hears below its own subtree; the server speaks to all hosts. Signatures do not depend on it: it keeps readers out, and
 * whoever would flood the others.
 */
import { QUESTION_KINDS } from '../../agent/index.js'

/** Where answers to the server arrive, and to a host. */
export const SERVER_INBOX = '_INBOX.drover-server'
export const hostInbox = (nodeId: string) => `_INBOX.drover-host.${nodeId}`

export interface BrokerUsers {
  readonly region: string
  /** Keys that the server signs in with: today's, and tomorrow's while it is being changed. */
  readonly serverKeys: readonly string[]
  readonly hosts: readonly { readonly name: string; readonly publicKey: string; readonly nodeId: string }[]
}

/** What a host is told. */
const HOST_HEARS = ['desired', 'answer', 'rpc.*']

export function natsAuthorization({ region, serverKeys, hosts }: BrokerUsers): string {
  const root = `drover.${region}.agent`
  const server = serverKeys.map((key) =>
    user('server', key, {
      publish: [...HOST_HEARS.map((what) => `${root}.*.${what}`), '_INBOX.drover-host.>', `${SERVER_INBOX}.>`],
      subscribe: [...QUESTION_KINDS.map((what) => `${root}.*.${what}`), `${SERVER_INBOX}.>`],
      answers: false,
    }),
  )
  const others = hosts.map(({ name, publicKey, nodeId }) =>
    user(name, publicKey, {
      publish: QUESTION_KINDS.map((what) => `${root}.${nodeId}.${what}`),
      // That an asker has gone is told beside the place where its answers arrive.
      subscribe: [...HOST_HEARS.map((what) => `${root}.${nodeId}.${what}`), `${hostInbox(nodeId)}.>`, `${SERVER_INBOX}.*.cancel`],
      answers: true,
    }),
  )
  return `authorization {\n  users = [\n${[...server, ...others].join('\n')}\n  ]\n}\n`
}

function user(
  name: string,
  key: string,
  {
    publish,
    subscribe,
    answers,
  }: { readonly publish: readonly string[]; readonly subscribe: readonly string[]; readonly answers: boolean },
): string {
  const list = (subjects: readonly string[]) => `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`
  return [
    `    # ${name}`,
    '    {',
    `      nkey: ${key}`,
    '      permissions: {',
    `        publish: { allow: ${list(publish)} }`,
    `        subscribe: { allow: ${list(subscribe)} }`,
    // A log that is followed is one answer of any number of parts, for as long as somebody reads it.
    ...(answers ? ['        allow_responses: { max: -1, expires: "720h" }'] : []),
    '      }',
    '    }',
  ].join('\n')
}
