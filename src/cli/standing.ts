/** Which commit runs, in words: after a roll-out that failed it is not the newest. */
import { shortId } from './table.js'
import type { CommitAnswer, StandingAnswer } from './wire.js'

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
