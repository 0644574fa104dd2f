/** The real log: one JSON object a line, to stderr or to a file that is kept from growing. */
import { writeSync } from 'node:fs'
import pino from 'pino'
import type { Logger } from '../domain/index.js'
import { RotatedLog } from './rotated-log.js'

const WARN = 40

export function createLogger({
  level,
  name,
  destination,
}: {
  readonly level: string
  readonly destination?: string
  readonly name: string
}): Logger {
  const sayLost = (count: number) =>
    `${JSON.stringify({ level: WARN, time: Date.now(), program: name, count, msg: 'lines of this log were lost, the disk took no more' })}\n`
  const stream = destination === undefined ? STDERR : new RotatedLog({ path: destination, sayLost })
  return wrap(pino({ level, base: { program: name } }, stream))
}

const STDERR = {
  write(line: string): void {
    try {
      writeSync(2, line)
    } catch {
      // Whoever read it has gone, or reads too slowly: no reason to end.
    }
  },
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (facts, text) => logger.debug(facts, text),
    info: (facts, text) => logger.info(facts, text),
    warn: (facts, text) => logger.warn(facts, text),
    error: (facts, text) => logger.error(facts, text),
    with: (facts) => wrap(logger.child(facts)),
  }
}

/** Says nothing: for tests and commands whose output is their result. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLogger,
}
