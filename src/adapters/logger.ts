/** The real log: one JSON object a line, to stderr or a file. */
import pino from 'pino'
import type { Logger } from '../domain/index.js'

export function createLogger(options: { readonly level: string; readonly destination?: string; readonly name: string }): Logger {
  const destination = pino.destination({ dest: options.destination ?? 2, sync: true, mkdir: true })
  return wrap(pino({ level: options.level, base: { program: options.name } }, destination))
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
