/** Whether changes are carried out at an instant, and when they are next. One that denies wins over those that allow. */
import type { SyncWindow } from '../../domain/index.js'
import { nextLaunch } from '../../jobspec/index.js'

export interface ClosedWindows {
  /** What keeps them closed, in words. */
  readonly because: string
  /** When they open; null: not that anybody could say. */
  readonly opensMs: number | null
}

/** Windows may follow each other closely, or one another for ever. */
const STEPS_MAX = 1_000

/** Undefined: changes are carried out. */
export function closedWindows(windows: readonly SyncWindow[], nowMs: number): ClosedWindows | undefined {
  const because = closedBy(windows, nowMs)
  return because === undefined ? undefined : { because, opensMs: nextOpening(windows, nowMs) }
}

function closedBy(windows: readonly SyncWindow[], atMs: number): string | undefined {
  const denying = windows.find((window) => window.kind === 'deny' && endOf(window, atMs) !== undefined)
  if (denying !== undefined) return `window ${denying.name} denies changes`
  const allowing = windows.filter(({ kind }) => kind === 'allow')
  if (allowing.length === 0 || allowing.some((window) => endOf(window, atMs) !== undefined)) return undefined
  return `no window allows changes now (${allowing.map(({ name }) => name).join(', ')})`
}

/** Only when a window that allows begins, or one that denies ends, can they open. */
function nextOpening(windows: readonly SyncWindow[], fromMs: number): number | null {
  let atMs = fromMs
  for (let step = 0; step < STEPS_MAX; step++) {
    const candidates = windows.flatMap((window) => (window.kind === 'deny' ? endOf(window, atMs) : startAfter(window, atMs)) ?? [])
    if (candidates.length === 0) return null
    atMs = Math.min(...candidates)
    if (closedBy(windows, atMs) === undefined) return atMs
  }
  return null
}

/** When the window that is open at `atMs` ends; undefined: it is not open. */
function endOf(window: SyncWindow, atMs: number): number | undefined {
  const startMs = startAfter(window, atMs - window.durationMs)
  return startMs === undefined || startMs > atMs ? undefined : startMs + window.durationMs
}

/** Its first beginning after an instant. */
function startAfter({ schedule, timeZone }: SyncWindow, ms: number): number | undefined {
  const next = nextLaunch({ Spec: schedule, Specs: null, TimeZone: timeZone }, ms)
  return next.kind === 'at' ? (next.atMs ?? undefined) : undefined
}
