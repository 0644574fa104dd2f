/** The command line: everything but the wiring. */

export { blameCommand } from './blame.js'
export type { CommandModule, Io } from './command.js'
export { commandsPage } from './commands-page.js'
export { completionCommand } from './completion.js'
export { dispatchCommand } from './dispatch.js'
export { eventsCommand } from './events.js'
export type { Conversation, ExecConsole } from './exec.js'
export { forceCommand } from './force.js'
export { fsCommand } from './fs.js'
export { historyCommand } from './history.js'
export { inspectCommand } from './inspect.js'
export {
  type DeclarationReading,
  type FileMistake,
  type JobFileReading,
  type JobFiles,
  type JobFilesRequest,
  renderCommand,
  type StrayFile,
  type TreeReading,
  validateCommand,
} from './job-files.js'
export { allocationsCommand } from './lists/allocations.js'
export { deploymentsCommand } from './lists/deployments.js'
export { evaluationsCommand } from './lists/evaluations.js'
export { jobsCommand } from './lists/jobs.js'
export { namespacesCommand } from './lists/namespaces.js'
export { nodesCommand } from './lists/nodes.js'
export { servicesCommand } from './lists/services.js'
export { logsCommand } from './logs.js'
export { planCommand } from './plan.js'
export { type ProgramOptions, runProgram } from './program.js'
export { statusCommand } from './status.js'
export type { Terminal } from './terminal.js'
export { traceCommand } from './trace.js'
export type { ActCommits } from './trailer-act.js'
export { whyCommand } from './why.js'
export type { RefPlanAnswer } from './wire.js'
