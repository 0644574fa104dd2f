/**
 * Cases that Drover answers differently on purpose: kind → case → the reason, each explained in `docs/differences.md`.
 * A listed case passes only while it differs, so that the list cannot rot.
 */
export const KNOWN_DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'hcl/functions': {
    'fileexists("/etc/hostname")': 'files are those of the commit; absolute paths are refused',
  },
  'hcl/jobspecs': {
    'json api': "a file may hold the API's form of a job",
    'json esc before': 'a reference in JSON stands for its own text, not for one at a wrong offset',
  },
  'api/lists/service-lamp-web': {
    '/v1/service/lamp-web?choose=9%7Cxyz': 'the instances chosen for a key depend on the hash',
  },
  'pure/filter': {
    'unknown-member/020': 'allocations always have the combined resources that clients before 2.0 need',
  },
}
