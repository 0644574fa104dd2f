export { RawExecDriver } from './raw-exec-driver.js'
