/**
 * A broker for one machine: an installed nats-server as a child in a session of its own, on a free loopback port. It outlives whoever
 * started it and is found again by pid and start time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { OrchestratorError } from '../../domain/index.js'

export interface NatsServer {
  readonly url: string
  /** What whoever connects must know; readable by its owner alone. */
  readonly tokenFile: string
  readonly wasRunning: boolean
  /** Resolves when it runs no more, asked or not. */
  whenEnded(): Promise<void>
  stop(): Promise<void>
}

const NAME = 'nats-server'
/** Not on the path of an ordinary user on Debian. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/bin', '/usr/local/sbin']
const READY_WITHIN_MS = 10_000
const LOOK_MS = 10
const LOOK_WHETHER_ALIVE_MS = 200

export function findNatsServer(): string | undefined {
  const chosen = process.env['NATS_SERVER_BIN']
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS]
  return [...(chosen === undefined ? [] : [chosen]), ...folders.map((folder) => join(folder, NAME))].find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * @param port where one listened before; without it a free one is taken
 * @throws OrchestratorError NATS_START
 */
export async function startNatsServer({ binary, folder, port = -1 }: NatsServerOptions): Promise<NatsServer> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const known = readRecord(folder)
  const tokenFile = join(folder, 'token')
  if (known !== undefined && startTimeOf(known.pid) === known.startTime) return running(known, tokenFile, true)
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ports'))) rmSync(join(folder, name))
  const config = join(folder, 'nats.conf')
  const token = loadOrCreateToken(tokenFile)
  const settings = [`listen: "127.0.0.1:${port}"`, `ports_file_dir: "${folder}"`, 'max_payload: 4MB', `authorization { token: "${token}" }`]
  writeFileSync(config, `${settings.join('\n')}\n`, { mode: 0o600 })
  const log = openSync(join(folder, 'nats.log'), 'a', 0o600)
  const child = spawn(binary, ['-c', config], { detached: true, stdio: ['ignore', log, log] })
  child.on('error', () => {})
  child.unref()
  const url = await whenListening(folder, child)
  const record = { pid: child.pid!, startTime: startTimeOf(child.pid!) ?? '', url }
  writeFileSync(join(folder, 'server.json'), JSON.stringify(record), { mode: 0o600 })
  return running(record, tokenFile, false)
}

/** The same for as long as the folder is: a broker that is started again takes who was connected before. */
function loadOrCreateToken(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' })
  return readFileSync(path, 'utf8')
}

export interface NatsServerOptions {
  readonly binary: string
  readonly folder: string
  readonly port?: number
}

interface ServerRecord {
  readonly pid: number
  readonly startTime: string
  readonly url: string
}

function readRecord(folder: string): ServerRecord | undefined {
  const path = join(folder, 'server.json')
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ServerRecord
  } catch {
    // Cut off while it was written: as if there had been none.
    return undefined
  }
}

async function whenListening(folder: string, child: ChildProcess): Promise<string> {
  const ports = join(folder, `${NAME}_${child.pid}.ports`)
  for (const untilMs = performance.now() + READY_WITHIN_MS; performance.now() < untilMs && child.exitCode === null; ) {
    if (existsSync(ports)) {
      const text = readFileSync(ports, 'utf8')
      const url = /"nats":\s*\[\s*"([^"]+)"/.exec(text)?.[1]
      if (url !== undefined) return url
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  throw new OrchestratorError('NATS_START', `nats-server did not start; see ${join(folder, 'nats.log')}, or name a broker with --nats`)
}

function running({ pid, startTime, url }: ServerRecord, tokenFile: string, wasRunning: boolean): NatsServer {
  return {
    url,
    tokenFile,
    wasRunning,
    async whenEnded() {
      while (startTimeOf(pid) === startTime) await new Promise((resolve) => setTimeout(resolve, LOOK_WHETHER_ALIVE_MS))
    },
    async stop() {
      if (startTimeOf(pid) !== startTime) return
      process.kill(pid, 'SIGTERM')
      while (startTimeOf(pid) === startTime) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    },
  }
}

/** Field 22 of the process's stat; undefined when it is gone or only a zombie. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
