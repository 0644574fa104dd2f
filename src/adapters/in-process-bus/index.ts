export { InProcessBus, InProcessHub } from './in-process-bus.js'
