/** Every function of Nomad's jobspec, by name. */
import { COLLECTION_FUNCTIONS } from './collections.js'
import { DATE_FUNCTIONS } from './dates.js'
import { ENCODING_FUNCTIONS } from './encoding.js'
import { FILE_FUNCTIONS } from './files.js'
import { FORMAT_FUNCTIONS } from './format.js'
import { HASH_FUNCTIONS } from './identity.js'
import { NETWORK_FUNCTIONS } from './network.js'
import { NUMBER_FUNCTIONS } from './numbers.js'
import { SET_FUNCTIONS } from './sets.js'
import type { FunctionTable } from './signature.js'
import { STRING_FUNCTIONS } from './strings.js'

export const FUNCTIONS: FunctionTable = {
  ...COLLECTION_FUNCTIONS,
  ...DATE_FUNCTIONS,
  ...ENCODING_FUNCTIONS,
  ...FILE_FUNCTIONS,
  ...FORMAT_FUNCTIONS,
  ...HASH_FUNCTIONS,
  ...NETWORK_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...SET_FUNCTIONS,
  ...STRING_FUNCTIONS,
}
