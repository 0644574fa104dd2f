/** Which commit runs, in words: after a roll-out that failed it is not the newest. */
import { formatAge, shortId } from './table.js'
import type { CommitAnswer, StandingAnswer, WaitingAnswer } from './wire.js'

export function describeCommit({ id, subject }: Pick<CommitAnswer, 'id' | 'subject'>): string {
  return `${shortId(id)} ${subject}`
}

/** Empty when what the file says is what runs. */
export function describeSetAside({ version, revertOf, setAside }: StandingAnswer): string {
  if (setAside === null) return ''
  const reason = setAside.reason === '' ? '' : ` (${setAside.reason})`
  const runs = revertOf === null ? `version ${version}` : `version ${version}, the same as version ${revertOf},`
  return `version ${setAside.version} of commit ${describeCommit(setAside.commit)} failed${reason}; ${runs} runs until ${setAside.path} changes`
}

const AWAITED: Readonly<Record<WaitingAnswer['change'], string>> = {
  new: 'is not there yet',
  changed: 'stays as it is',
  removed: 'is not removed yet',
}

/** `the change of commit 1a2b3c4d waits (12m): db is to change first`. */
export function describeWait({ change, commit, sinceMs, reasons }: WaitingAnswer, nowMs: number): string {
  const age = formatAge(sinceMs * 1e6, nowMs)
  return `${AWAITED[change]}: what commit ${shortId(commit)} wants waits since ${age}: ${reasons.map(({ text }) => text).join('; ')}`
}
