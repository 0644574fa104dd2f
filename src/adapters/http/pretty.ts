/** `?pretty`: indented by four spaces, with a newline at the end. */
const decoder = new TextDecoder()

export function pretty(body: string | Uint8Array, query: string): string | Uint8Array {
  const value = new URLSearchParams(query).get('pretty')
  if (value === null || value === '0') return body
  return `${JSON.stringify(JSON.parse(typeof body === 'string' ? body : decoder.decode(body)), null, 4)}\n`
}
