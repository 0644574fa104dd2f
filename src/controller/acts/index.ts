/** Every act, by its name. */
import type { ActName } from '../../domain/index.js'
import { type Act, decided } from './act.js'
import { failByHand, pauseDeployment, promoteDeployment, setHealth, unblockDeployment } from './deployment-acts.js'
import { drainNode, evaluateNode, releaseLosses, setEligibility, stopAllocation } from './host-acts.js'
import { dispatchJob, evaluateJob, forceJob, stopChild } from './job-acts.js'
import { scaleGroup } from './scaling-acts.js'

export const ACTS: { readonly [Name in ActName]: Act<Name> } = {
  'job-dispatch': dispatchJob,
  'job-force': forceJob,
  'job-scale': scaleGroup,
  'child-stop': stopChild,
  'job-evaluate': evaluateJob,
  'deployment-promote': promoteDeployment,
  'deployment-fail': failByHand,
  'deployment-pause': pauseDeployment,
  'deployment-unblock': unblockDeployment,
  'deployment-health': setHealth,
  'node-drain': drainNode,
  'node-eligibility': setEligibility,
  'node-evaluate': evaluateNode,
  'allocation-stop': stopAllocation,
  'losses-release': releaseLosses,
  'summaries-reconcile': () => decided([{ kind: 'summaries-reconcile' }], null),
}
