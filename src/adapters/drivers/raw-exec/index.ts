export { RawExecDriver } from './raw-exec-driver.js'
export { SupervisorClient } from './supervisor-client.js'
