/**
 * What servers and agents tell: `drover dev`, where it has started them, else whoever looks at their output. A child whose parent is gone
 * stops by itself and leaves its tasks.
 */
import { assertNever, placeText } from '../domain/index.js'

export type ChildMessage =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'started'; readonly name: string; readonly publicKey: string }
  | {
      readonly kind: 'sync'
      /** Empty: the first. */
      readonly source: string
      readonly commit: string
      readonly subject: string
      readonly registered: number
      /** Not carried out at once. */
      readonly waiting: number
      readonly removed: number
      readonly frozenCount: number
      /** The first of the mistakes, and how many there are. */
      readonly mistakes: readonly { readonly path: string; readonly line: number; readonly column: number; readonly summary: string }[]
      readonly mistakeCount: number
      readonly ignored: readonly string[]
      readonly held: string | null
    }
  | { readonly kind: 'note'; readonly text: string }
  /** The host was let in, or its declaration has changed. */
  | { readonly kind: 'joined'; readonly name: string; readonly pool: string }

export interface ParentMessage {
  readonly kind: 'stop'
  /** What becomes of the tasks of an agent. */
  readonly tasks: 'end' | 'keep'
}

export function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message)
  else for (const line of describeMessage(message)) process.stdout.write(`${line}\n`)
}

/** For what is tried again and again: what is said again is no news. */
export function onlyNews(): (message: ChildMessage) => void {
  let told = ''
  return (message) => {
    const text = JSON.stringify(message)
    if (text !== told) tell(message)
    told = text
  }
}

/** In lines for people. */
export function describeMessage(message: ChildMessage): readonly string[] {
  switch (message.kind) {
    case 'ready':
      return [`ready ${message.url}`]
    case 'started':
      return [`agent ${message.name} started; the key of this host is ${message.publicKey}`]
    case 'joined':
      return [`joined the cluster as ${message.name}, in the pool ${message.pool}`]
    case 'sync':
      return describeSync(message)
    case 'note':
      return [message.text]
    default:
      return assertNever(message)
  }
}

function describeSync({
  source,
  commit,
  subject,
  registered,
  waiting,
  removed,
  frozenCount,
  mistakes,
  mistakeCount,
  ignored,
  held,
}: Extract<ChildMessage, { kind: 'sync' }>): readonly string[] {
  const counts = [
    `${registered} registered`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(frozenCount > 0 ? [`${frozenCount} frozen`] : []),
  ]
  return [
    `${source === '' ? '' : `${source}: `}commit ${commit.slice(0, 10)} "${subject}": ${counts.join(', ')}`,
    ...mistakes.map((mistake) => `  ${placeText(mistake)}: ${mistake.summary}`),
    ...(mistakeCount > mistakes.length ? [`  and ${mistakeCount - mistakes.length} more; drover status tells all`] : []),
    ...ignored.map((act) => `  nothing done for ${act}`),
    ...(held === null ? [] : [`  held: ${held}`]),
  ]
}

/** Calls back once: asked by the parent, by a signal, or because the parent is gone. */
export function onStopAsked(callback: (message: ParentMessage) => void): void {
  let isAsked = false
  const ask = (message: ParentMessage) => {
    if (isAsked) return
    isAsked = true
    callback(message)
  }
  process.on('message', (message) => ask(message as ParentMessage))
  process.on('disconnect', () => ask({ kind: 'stop', tasks: 'keep' }))
  process.on('SIGTERM', () => ask({ kind: 'stop', tasks: 'keep' }))
  process.on('SIGINT', () => ask({ kind: 'stop', tasks: 'keep' }))
}
