/** Byte order, which for the ids in use is that of UTF-16. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
