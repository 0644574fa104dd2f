import { explainError } from '../../domain/index.js'
import { HookFailure, type HookRow } from './hook.js'

export const TASK_FOLDERS: HookRow = {
  name: 'task-folders',
  runs: 'each-start',
  appliesTo: () => true,
  create: ({ createFolders, event }) => ({
    async prestart() {
      try {
        await createFolders()
      } catch (error) {
        throw new HookFailure(event('Setup Failure', { fact: 'setup_error', text: explainError(error) }), true)
      }
    },
  }),
}
