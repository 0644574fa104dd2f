export { InProcessHub } from './in-process-bus.js'
