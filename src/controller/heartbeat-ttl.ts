/**
 * How long a host may be silent before it is called so. A silent one is known after its TTL, a look every 0.4 s, and half a second in which the
 * broker answers at the latest: ten seconds at any size. The larger a cluster, the less often each host says that it is there.
 */
const TTL_MS_MIN = 8_000
const TTL_MS_MAX = 9_000
/** From so many hosts on they have the longest. */
const HOSTS_LARGE = 5_000

export function heartbeatTtlMs(hosts: number): number {
  return Math.round(TTL_MS_MIN + (TTL_MS_MAX - TTL_MS_MIN) * Math.min(1, hosts / HOSTS_LARGE))
}
