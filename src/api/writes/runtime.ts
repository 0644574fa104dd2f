/** `api.writes: runtime`: acts on what runs, with Nomad's bodies and answers. What is desired stays refused (`refuse.ts`). */
import type { Actor, Garbage } from '../ports.js'
import { emptyAnswer } from '../request.js'
import type { Route } from '../router.js'
import { type ActRoute, actRoute } from './act-route.js'
import { deploymentActRoutes } from './deployment-acts.js'
import { hostActRoutes } from './host-acts.js'
import { jobActRoutes } from './job-acts.js'

export function runtimeRoutes({ actor, garbage }: { readonly actor: Actor; readonly garbage: Garbage }): readonly Route[] {
  const collect = () => {
    garbage.collectAll()
    return emptyAnswer()
  }
  return [
    ...jobActRoutes(actor),
    ...deploymentActRoutes(actor),
    ...hostActRoutes(actor),
    actRoute(actor, reconcileSummaries),
    { pattern: '/v1/system/gc', methods: { PUT: collect }, isAct: true, act: 'garbage-collect' },
  ]
}

const reconcileSummaries: ActRoute<'summaries-reconcile'> = {
  act: 'summaries-reconcile',
  methods: 'PUT',
  pattern: '/v1/system/reconcile/summaries',
  read: () => ({}),
  answer: () => emptyAnswer(),
}
