export { encryptValue, makeIdentity } from './encrypt-value.js'
export { type Identities, readIdentities } from './identity-files.js'
export { ValueCipher } from './value-cipher.js'
