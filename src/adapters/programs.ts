/** A program beside a task, run to its end within a time. What it leaves behind in its session is ended with it. */
import { spawn } from 'node:child_process'
import type { ProgramResult } from '../agent/index.js'
import { OrchestratorError } from '../domain/index.js'
import type { TaskUser } from './task-user.js'

export interface ProgramStart {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  readonly user: TaskUser | null
  readonly timeoutMs: number
}

const OUTPUT_BYTES_MAX = 16 * 1024

/** @throws OrchestratorError PROGRAM when it cannot be started, or was ended because it took too long */
export function runProgram({ command, args, environment, folder, user, timeoutMs }: ProgramStart): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const identity = user === null ? {} : { uid: user.uid, gid: user.gid }
    const child = spawn(command, [...args], {
      cwd: folder,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...identity,
    })
    let output = Buffer.alloc(0)
    let isLate = false
    const keep = (chunk: Buffer) => {
      if (output.length < OUTPUT_BYTES_MAX) output = Buffer.concat([output, chunk]).subarray(0, OUTPUT_BYTES_MAX)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const endSession = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // Nothing of it is left.
      }
    }
    const timer = setTimeout(() => {
      isLate = true
      endSession()
    }, timeoutMs)
    child.on('error', (cause) => {
      clearTimeout(timer)
      reject(new OrchestratorError('PROGRAM', `${command} cannot be run: ${cause.message}`, { command }, cause))
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      endSession()
      if (isLate) reject(new OrchestratorError('PROGRAM', `${command} took more than ${timeoutMs} ms`, { command }))
      else resolve({ exitCode: code ?? (signal === null ? -1 : 128), output: output.toString() })
    })
  })
}
