/** Identities of tasks. */
import type { Task, WorkloadIdentity } from '../../domain/index.js'
import { quote, wrapTexts } from './problem.js'

const NAME = /^[a-zA-Z0-9-_]{1,128}$/
const DEFAULT_NAME = 'default'

export function identityTexts({ Identity, Identities }: Task): string[] {
  const own = Identity === null ? [] : wrapped(Identity)
  return [
    ...own,
    ...(Identities ?? []).flatMap((identity) => [
      ...(identity.Name === DEFAULT_NAME ? ['Duplicate default identities found'] : []),
      ...wrapped(identity),
    ]),
  ]
}

function wrapped(identity: WorkloadIdentity): string[] {
  return wrapTexts(`Identity ${quote(identity.Name)} is invalid: `, identityProblems(identity))
}

function identityProblems(identity: WorkloadIdentity): string[] {
  const texts: string[] = []
  if (!NAME.test(identity.Name)) texts.push(`invalid name ${quote(identity.Name)}. Must match regex ${NAME.source}`)
  for (const [at, audience] of (identity.Audience ?? []).entries())
    if (audience === '') texts.push(`an empty string is an invalid audience (${at + 1})`)
  texts.push(...changeTexts(identity))
  if (identity.TTL < 0) texts.push('ttl must be >= 0')
  if (identity.TTL > 0 && identity.Name === DEFAULT_NAME) texts.push('ttl for default identity not yet supported')
  if (identity.Filepath !== '' && !identity.File) texts.push('file parameter must be true in order to specify filepath')
  return texts
}

function changeTexts({ ChangeMode, ChangeSignal }: WorkloadIdentity): string[] {
  switch (ChangeMode) {
    case '':
    case 'noop':
    case 'restart':
      return ChangeSignal === '' ? [] : [`can only use change_signal=${quote(ChangeSignal)} with change_mode="signal"`]
    case 'signal':
      return ChangeSignal === '' ? ['change_signal must be specified when using change_mode="signal"'] : []
    default:
      return [`invalid change_mode: ${ChangeMode}`]
  }
}

/** What is allowed and not safe. `label` is what the identity is called in the text. */
export function identityWarnings(label: string, identity: WorkloadIdentity): string[] {
  const audiences = identity.Audience ?? []
  const warnings: string[] = []
  if (audiences.length === 0) warnings.push(`${label} identities without an audience are insecure`)
  if (audiences.length > 1) warnings.push(`${label} while multiple audiences is allowed, it is more secure to use 1 audience per identity`)
  if (identity.TTL === 0 && identity.Name !== '' && identity.Name !== DEFAULT_NAME)
    warnings.push(`${label} identities without an expiration are insecure`)
  if (identity.Env && identity.ChangeMode !== 'restart')
    warnings.push(`${label} using env=true without change_mode="restart" may result in task not getting updated identity`)
  return warnings
}
