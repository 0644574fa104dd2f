/** Why the scheduler changed an allocation, in the words that Nomad's clients show. */
export const NOT_NEEDED = 'alloc not needed due to job update'
export const LOST = 'alloc is lost since its node is down'
export const MIGRATING = 'alloc is being migrated'
export const RESCHEDULED = 'alloc was rescheduled because it failed'
export const RECONNECTED = 'alloc not needed due to disconnected client reconnect'
export const UPDATING = 'alloc is being updated due to job update'
export const TAINTED = 'alloc not needed as node is tainted'
export const IN_PLACE = 'alloc updating in-place'
/** What its client says of it as long as nobody hears that. */
export const OUT_OF_SIGHT = 'alloc is unknown since its node is disconnected'
