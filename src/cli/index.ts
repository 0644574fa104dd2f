/** The command line: everything but the wiring. */
export { CommandError, type CommandModule, type Io } from './command.js'
export { eventsCommand } from './events.js'
export {
  type DeclarationReading,
  type FileMistake,
  type JobFileReading,
  type JobFiles,
  type JobFilesRequest,
  renderCommand,
  type TreeReading,
  validateCommand,
} from './job-files.js'
export { logsCommand } from './logs.js'
export { planCommand } from './plan.js'
export { type ProgramOptions, runProgram } from './program.js'
export { statusCommand } from './status.js'
export { whyCommand } from './why.js'
