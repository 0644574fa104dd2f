export { InProcessSyntaxReader } from './in-process-reader.js'
export { WorkerSyntaxReader, type WorkerSyntaxOptions } from './worker-reader.js'
