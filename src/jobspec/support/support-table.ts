/**
 * Every member that the decoder knows, and who carries it out. The types follow the decoder's schema: a member that is
 * decoded and not listed does not compile. To carry out what was refused, change its row.
 */
import type { StructName } from '../decode/schema.js'
import { CONNECT_SUPPORT } from './connect-support.js'
import { JOB_SUPPORT } from './job-support.js'
import { SERVICE_SUPPORT } from './service-support.js'
import type { SupportOf } from './support.js'
import { TASK_SUPPORT } from './task-support.js'

export const SUPPORT: { readonly [Name in StructName]: SupportOf<Name> } = {
  ...JOB_SUPPORT,
  ...TASK_SUPPORT,
  ...SERVICE_SUPPORT,
  ...CONNECT_SUPPORT,
}
