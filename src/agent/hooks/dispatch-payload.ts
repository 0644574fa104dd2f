/** What a dispatched job was given, as a file of the task. */
import type { HookRow } from './hook.js'

export const DISPATCH_PAYLOAD: HookRow = {
  name: 'dispatch-payload',
  runs: 'once',
  appliesTo: (task) => (task.DispatchPayload?.File ?? '') !== '',
  create: ({ task, job, directories, ports }) => ({
    async prestart() {
      const payload = job().Payload ?? ''
      if (payload === '') return
      await ports.files.write({
        root: directories.local,
        path: task().DispatchPayload?.File ?? '',
        content: Uint8Array.from(atob(payload), (byte) => byte.charCodeAt(0)),
        mode: 0o777,
        owner: task().User,
      })
    },
  }),
}
