/** What `mock_driver` takes, whose processes are only told of. */
import * as z from 'zod'
import { driverSchema } from './driver-schema.js'
import { duration, flag, number, optional, text } from './values.js'

export const MOCK = driverSchema(
  z.strictObject({
    run_for: optional(duration),
    exit_code: optional(number),
    exit_signal: optional(number),
    exit_err_msg: optional(text),
    start_error: optional(text),
    start_error_recoverable: optional(flag),
    start_block_for: optional(duration),
    kill_after: optional(duration),
    signal_error: optional(text),
  }),
)
