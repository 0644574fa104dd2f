/** Every kind of vectors that the project runs, in the order of `npm run vectors` without arguments. */
import type { VectorKind } from '../kind.js'
import { LIST_KINDS } from './api-lists.js'
import { hclFunctions } from './hcl-functions.js'
import { hclJobspecs } from './hcl-jobspecs.js'
import { pureJobId, pureScaling } from './job-requests.js'
import { STORE_KINDS } from './job-store.js'
import { pureBesideNomad } from './pure-beside-nomad.js'
import { pureCanonicalize } from './pure-canonicalize.js'
import { pureCron } from './pure-cron.js'
import { pureDiff } from './pure-diff.js'
import { pureHealth } from './pure-health.js'
import { pureFilter, purePaginate } from './pure-lists.js'
import { pureParseDuration } from './pure-parse-duration.js'
import { pureRestart } from './pure-restart.js'
import { pureTaskEnv } from './pure-taskenv.js'
import { pureTaskEvent } from './pure-taskevent.js'
import { pureValidate } from './pure-validate.js'
import { FUNCTION_KINDS } from './scheduler/functions.js'
import { PURE_KINDS } from './scheduler/pure.js'
import { SCENARIO_KINDS } from './scheduler/scenarios.js'
import { TEMPLATE_KINDS } from './template.js'

export const KINDS: readonly VectorKind[] = [
  ...SCENARIO_KINDS,
  ...FUNCTION_KINDS,
  ...PURE_KINDS,
  ...LIST_KINDS,
  hclFunctions,
  hclJobspecs,
  pureCanonicalize,
  pureValidate,
  pureCron,
  ...STORE_KINDS,
  pureJobId,
  pureScaling,
  pureBesideNomad,
  pureDiff,
  pureFilter,
  purePaginate,
  pureParseDuration,
  pureRestart,
  pureHealth,
  pureTaskEnv,
  pureTaskEvent,
  ...TEMPLATE_KINDS,
]
