/** `api.writes: runtime`: acts on what runs, with Nomad's bodies and answers. What is desired stays refused (`refuse.ts`). */
import type { Actor } from '../ports.js'
import type { Route } from '../router.js'
import { deploymentActRoutes } from './deployment-acts.js'
import { hostActRoutes } from './host-acts.js'
import { jobActRoutes } from './job-acts.js'

export function runtimeRoutes(actor: Actor): readonly Route[] {
  return [...jobActRoutes(actor), ...deploymentActRoutes(actor), ...hostActRoutes(actor)]
}
