/** Values of variables, encrypted by the library of age's own author. It is loaded when there is something to do for it. */
import { fingerprintOf } from '../../controller/index.js'
import { placeStanza, type ValuePlace } from '../../domain/index.js'

const age = () => import('age-encryption')

/**
 * Armored, for these recipients and this place alone.
 * @throws Error for a recipient that is none, with its key
 */
export async function encryptValue(value: string, place: ValuePlace, recipients: readonly string[]): Promise<string> {
  const { Encrypter, Stanza, armor } = await age()
  const encrypter = new Encrypter()
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient)
    } catch (cause) {
      throw new Error(`${recipient} is no public key of age's`, { cause })
    }
  }
  const stanza = new Stanza([...placeStanza(place, recipients.map(fingerprintOf))], new Uint8Array())
  encrypter.addRecipient({ wrapFileKey: () => [stanza] })
  return armor.encode(await encrypter.encrypt(value))
}

export async function makeIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await age()
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}
