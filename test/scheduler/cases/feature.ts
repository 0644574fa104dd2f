/** What a random case may contain beside amounts, classes, pools and datacenters. */
export type Feature = 'conditions' | 'affinities' | 'spreads' | 'distinct' | 'holdings' | 'history' | 'preemption' | 'system'

export const FEATURES: readonly Feature[] = ['conditions', 'affinities', 'spreads', 'distinct', 'holdings', 'history', 'preemption']
