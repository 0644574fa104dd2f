/**
 * Cases that Drover answers differently on purpose: kind → case → the reason, each explained in `docs/differences.md`.
 * A listed case passes only while it differs, so that the list cannot rot.
 */
export const KNOWN_DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {}
