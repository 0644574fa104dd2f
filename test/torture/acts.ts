/** Everything that is thrown at the cluster: each act is one kind of thing that somebody, somewhere, does to one. */

import { MESSAGE_ACTS } from './bus-messages.js'
import { COMMIT_ACTS } from './commits.js'
import { DISK_ACTS } from './disks.js'
import { KILL_ACTS } from './kills.js'
import { REQUEST_ACTS } from './requests.js'
import type { TortureWorld } from './world.js'

export interface Act {
  readonly name: string
  readonly run: (world: TortureWorld) => Promise<void> | void
}

export const ACTS: readonly Act[] = [...COMMIT_ACTS, ...REQUEST_ACTS, ...MESSAGE_ACTS, ...DISK_ACTS, ...KILL_ACTS]
