/** What the agent asks of the process that downloads, as JSON on its standard input; what comes of it is its standard output. */
export interface DownloadRequest {
  /** As the job has it, filled in. */
  readonly source: string
  readonly options: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly mode: 'any' | 'file' | 'dir'
  readonly isInsecure: boolean
  /** Empty, of the process alone. Where to put what was fetched. */
  readonly folder: string
  readonly limits: DownloadLimits
}

export interface DownloadLimits {
  /** Addresses that are not of the open internet: this host's own, its network's, and those of clouds' metadata. */
  readonly allowsPrivateAddresses: boolean
  readonly allowsInsecure: boolean
  readonly downloadBytesMax: number
  readonly unpackedBytesMax: number
  /** How often its own bytes may come out of an archive, where that is more than `unpackedBytesFree`. */
  readonly unpackedTimesMax: number
  readonly unpackedBytesFree: number
  readonly filesMax: number
  readonly timeoutMs: number
}

export type DownloadOutcome =
  /** `isFile`: the folder holds one file, which is the artifact. */
  { readonly kind: 'done'; readonly isFile: boolean; readonly name: string } | { readonly kind: 'failed'; readonly message: string }

/** A failure that is told as it is. */
export class DownloadFailure extends Error {}
