/** Headers hold bytes: names beyond ASCII travel in UTF-8, as Go sends them. Node takes a text of which each character is one byte. */
export function headerText(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  // A line break would end the header, and nothing else below a blank may stand in one.
  return Buffer.from(value.replace(/[\x00-\x1f\x7f]/g, ' '), 'utf8').toString('latin1')
}

export function headerTexts(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, headerText(value)]))
}
