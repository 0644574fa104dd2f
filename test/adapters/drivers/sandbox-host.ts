/** A host whose tasks have a root of their own, for the drivers that give them one. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ExecDriver } from '../../../src/adapters/drivers/exec/exec-driver.js'
import { execOptionsSchema } from '../../../src/adapters/drivers/exec/options.js'
import { findSandboxTools } from '../../../src/adapters/drivers/exec/sandbox.js'
import type { TaskExit, TaskStart } from '../../../src/agent/index.js'
import { type ContractHost, makeDirectories, taskStart } from './contract.js'
import { Supervised } from './supervised.js'

/** Undefined: it can be had here. */
export const whyNoSandbox = (() => {
  try {
    findSandboxTools()
    return undefined
  } catch (error) {
    return String(error)
  }
})()

export class SandboxHost implements ContractHost {
  readonly world = new Supervised()
  readonly isReal = true
  readonly resources?: TaskStart['resources']
  readonly running: TaskStart['config'] = shell('trap "exit 0" INT TERM; echo ready; while :; do sleep 0.05; done')
  readonly deaf: TaskStart['config'] = shell('trap "" INT TERM; echo ready; while :; do sleep 0.05; done')
  readonly wrong = { args: ['x'] }
  readonly directories = makeDirectories(this.world.folder)

  constructor() {
    chmodSync(this.world.folder, 0o711)
    onTestFinished(() => this.world.clearAll())
  }

  exiting(code: number): TaskStart['config'] {
    return shell(`exit ${code}`)
  }

  nextLife(): ExecDriver {
    this.world.reconnect()
    return new ExecDriver(this.world.client, execOptionsSchema.parse({}), { PATH: '/usr/bin:/bin' })
  }

  async said(config: TaskStart['config'], over: Partial<TaskStart> = {}): Promise<{ readonly exit: TaskExit; readonly out: string }> {
    const driver = this.nextLife()
    const exit = await driver.wait(await driver.start(taskStart(this, config, over)))
    const log = join(this.directories.logs, 'main.stdout.0')
    return { exit, out: existsSync(log) ? readFileSync(log, 'utf8') : '' }
  }
}

export function shell(script: string): { readonly command: string; readonly args: readonly string[] } {
  return { command: '/bin/sh', args: ['-c', script] }
}
