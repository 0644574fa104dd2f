/**
 * What an agent and its supervisor ask of glibc's allocator, in their environment; other allocators know nothing of it. Without it each
 * thread has an arena of its own and keeps what a burst of starts has left there: some 15 MB of an agent with 500 tasks. Source:
 * mallopt(3).
 */
export const LEAN_ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '65536',
}
