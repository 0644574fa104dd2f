/** Values of variables, opened by the library of age's own author. It is loaded when there is something to do for it. */
import type { OpenedValue, ValueOpener } from '../../agent/index.js'
import { readIdentities } from './identity-files.js'

const age = () => import('age-encryption')

const NOBODY = "no identity matched any of the file's recipients"

export class ValueCipher implements ValueOpener {
  readonly #identityFiles: readonly string[]

  constructor(identityFiles: readonly string[]) {
    this.#identityFiles = identityFiles
  }

  async open(text: string): Promise<OpenedValue> {
    if (this.#identityFiles.length === 0)
      return refused('there is no key here: name a file with one in secrets.identity_files of the agent')
    const { keys, problems } = readIdentities(this.#identityFiles)
    if (keys.length === 0) return refused(`there is no key here: ${problems.join('; ')}`)
    const { Decrypter, armor, identityToRecipient } = await age()
    const decrypter = new Decrypter()
    try {
      for (const key of keys) decrypter.addIdentity(key)
    } catch {
      return refused(`a key in ${this.#identityFiles.join(', ')} is damaged`)
    }
    try {
      return { kind: 'opened', text: Buffer.from(await decrypter.decrypt(armor.decode(text))).toString('utf8') }
    } catch (error) {
      if ((error as Error).message !== NOBODY) return refused('it is damaged, or was changed since it was encrypted: encrypt it anew')
      const recipients = await Promise.all(keys.map((key) => identityToRecipient(key)))
      const why = ['it is encrypted for nobody here', ...problems].join('; ')
      return refused(`${why}: add ${recipients.join(' or ')} to vars/_recipients.yaml and run drover secret rotate`)
    }
  }
}

function refused(reason: string): OpenedValue {
  return { kind: 'refused', reason }
}
