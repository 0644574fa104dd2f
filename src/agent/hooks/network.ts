import { explainError } from '../../domain/index.js'
import { hasOwnNetwork, networkWantOf } from '../network.js'
import { HookFailure, type HookRow } from './hook.js'

/** One for all tasks of the allocation: whichever is first makes it, the others find it. */
export const NETWORK: HookRow = {
  name: 'network',
  runs: 'each-start',
  appliesTo: (_task, group) => hasOwnNetwork(group),
  create: ({ allocation, group, groupEnvironment, ports, event }) => ({
    async prestart() {
      const want = networkWantOf(allocation(), group(), groupEnvironment())
      if (want === undefined) return
      try {
        await ports.network.prepare(want)
      } catch (error) {
        const text = `failed to setup alloc: pre-run hook "network" failed: failed to configure networking for alloc: ${explainError(error)}`
        throw new HookFailure(event('Setup Failure', { fact: 'setup_error', text }), false, true)
      }
    },
  }),
}
