/**
 * Whom values are encrypted for: `vars/_recipients.yaml`, or in its place `vars/<namespace>/_recipients.yaml`, a mapping of names for
 * people to age's public keys. What a value is encrypted for is in its header, so this tells whether it is still the same.
 */
import { createHash } from 'node:crypto'
import { isScalar } from 'yaml'
import type { Mistake } from '../../domain/index.js'
import { readMapping, textOf } from './yaml-mapping.js'

/** Keys by name. */
export type Recipients = ReadonlyMap<string, string>

const RECIPIENT = /^age1[a-z0-9]{20,4000}$/
/** Beyond that a value is more header than content; a key that several hosts share serves better. */
const RECIPIENTS_MAX = 32

export function readRecipients(path: string, text: string): Recipients | { readonly mistakes: readonly Mistake[] } {
  const recipients = new Map<string, string>()
  const isWhat = { summary: 'Recipients are a mapping of names to keys', detail: 'Write one a line: `hosts: age1…`.' }
  const mistakes = readMapping(path, text, isWhat, ({ name, offset, value }, note) => {
    const key = isScalar(value) ? textOf(value) : ''
    if (/^AGE-SECRET-KEY-/i.test(key))
      note(offset, `"${name}" has a secret key`, 'Make a new one: this one is known to all who read the repository.')
    else if (!RECIPIENT.test(key))
      note(offset, `The key of "${name}" is none of age's`, 'Write what `drover secret keygen` prints; it begins with age1.')
    else if ([...recipients.values()].includes(key)) note(offset, `"${name}" has the key of another one`, 'Keep one of them.')
    else recipients.set(name, key)
    if (recipients.size > RECIPIENTS_MAX)
      note(offset, `There are more than ${RECIPIENTS_MAX} recipients`, 'Let the hosts that run the same jobs share a key.')
  })
  return mistakes.length > 0 ? { mistakes } : recipients
}

/** Short, since it is in each value's header once a recipient. */
export function fingerprintOf(recipient: string): string {
  return createHash('sha256').update(recipient).digest('hex').slice(0, 16)
}

/** In words, undefined when a value is for exactly these. */
export function describeOutdated(fingerprints: readonly string[], recipients: Recipients): string | undefined {
  const wanted = new Map([...recipients].map(([name, key]) => [fingerprintOf(key), name]))
  const lacking = [...wanted].filter(([fingerprint]) => !fingerprints.includes(fingerprint)).map(([, name]) => name)
  const former = fingerprints.filter((fingerprint) => !wanted.has(fingerprint)).length
  const parts = [
    ...(lacking.length === 0 ? [] : [`not encrypted for ${lacking.join(', ')}`]),
    ...(former === 0 ? [] : [`still encrypted for ${former} that ${former === 1 ? 'is' : 'are'} no recipient any more`]),
  ]
  return parts.length === 0 ? undefined : parts.join(', and ')
}
