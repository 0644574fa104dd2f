/** What the machine takes without any orchestrator: processes that this one starts, one after the other, as a shell that stamps and sleeps. */
import { spawn } from 'node:child_process'
import { killQuietly } from '../../test/acceptance/cluster.js'
import { untilSo } from './side.js'
import { Stamps } from './stamping-job.js'

export class BareTasks {
  readonly stamps = new Stamps()
  readonly #pids: number[] = []

  start(name: string, text: string): void {
    const file = `${this.stamps.folder}/${name}`
    const task = spawn('/bin/sh', ['-c', `echo ${text} > ${file}; exec sleep 100000`], { stdio: 'ignore' })
    this.#pids.push(task.pid!)
  }

  /** Resolves when all of them run. */
  async startAll(count: number): Promise<void> {
    for (let at = 0; at < count; at++) this.start(`bare-${at}`, 'x')
    await untilSo('all bare processes run', () => this.stamps.count >= count, 1)
  }

  clear(): void {
    for (const pid of this.#pids.splice(0)) killQuietly(pid)
    this.stamps.empty()
  }

  remove(): void {
    this.clear()
    this.stamps.remove()
  }
}
