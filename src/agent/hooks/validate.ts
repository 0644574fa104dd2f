/** What a task asks for and nobody would carry out is told before anything of it is run, rather than left out. */
import { HookFailure, type HookRow } from './hook.js'

export const VALIDATE: HookRow = {
  name: 'validate',
  runs: 'each-start',
  appliesTo: () => true,
  create: ({ ports, job, task, group, event }) => ({
    async prestart() {
      const text = ports.refusalOf(job(), group().Name, task().Name)
      if (text !== undefined) throw new HookFailure(event('Failed Validation', { fact: 'validation_error', text }), false)
    },
  }),
}
