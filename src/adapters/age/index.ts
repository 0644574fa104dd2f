export { type Identities, readIdentities } from './identity-files.js'
export { encryptValue, makeIdentity, ValueCipher } from './value-cipher.js'
