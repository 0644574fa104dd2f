export { InProcessJobReader, InProcessSyntaxReader } from './in-process-reader.js'
export { type WorkerSyntaxOptions, WorkerSyntaxReader } from './worker-reader.js'
