/** Nanoseconds. Durations and instants on the wire are nanoseconds; our own types say `Ms` in the name instead. */
export type Nanoseconds = number

export const MILLISECOND: Nanoseconds = 1_000_000
export const SECOND: Nanoseconds = 1_000_000_000
export const MINUTE: Nanoseconds = 60 * SECOND
export const HOUR: Nanoseconds = 60 * MINUTE

export const MEBIBYTE_BYTES = 1024 * 1024
