/** What `drover dev` and its children say to each other. A child whose parent is gone stops by itself and leaves its tasks. */

export type ChildMessage =
  | { readonly kind: 'ready'; readonly url?: string }
  | {
      readonly kind: 'sync'
      readonly commit: string
      readonly subject: string
      readonly registered: number
      readonly removed: number
      readonly frozen: readonly { readonly path: string; readonly line: number; readonly column: number; readonly summary: string }[]
      readonly held: string | null
    }
  | { readonly kind: 'note'; readonly text: string }

export interface ParentMessage {
  readonly kind: 'stop'
  /** What becomes of the tasks of an agent. */
  readonly tasks: 'end' | 'keep'
}

/** Tells the parent, where there is one. */
export function tellParent(message: ChildMessage): void {
  if (process.connected) process.send?.(message)
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
