export type * from './protocol.js'
export { PROTOCOL_FORMAT, subjects } from './protocol.js'
