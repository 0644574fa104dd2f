/** The beginning of a text that is longer than `lengthMax`, with an ellipsis; never half a character. */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
