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
  'pure/cron': {
    'dst-spring-new-york/002': 'a time of day that the clock skips is made up for right after the gap',
    'dst-spring-new-york/010': 'a time of day that the clock skips is made up for right after the gap',
    'dst-spring-oslo/002': 'a time of day that the clock skips is made up for right after the gap',
    'dst-lord-howe/002': 'a time of day that the clock skips is made up for right after the gap',
    'dst-at-midnight/003': 'a time of day that the clock skips is made up for right after the gap',
    'dst-at-midnight/004': 'a time of day that the clock skips is made up for right after the gap',
    'dst-fall-new-york/007': 'a time of day that comes twice counts once',
    'dst-fall-new-york/008': 'a time of day that comes twice counts once',
    'dst-fall-oslo/001': 'a time of day that comes twice counts once',
    'dst-fall-oslo/002': 'a time of day that comes twice counts once',
  },
  'pure/jobid': {
    'dispatch/id-prefix-odd': 'an id holds no control characters',
  },
  'pure/summary': {
    'client/new-alloc-already-failed': 'an allocation that has ended stays what it is',
  },
  'pure/jobstatus': {
    'deployment/running-then-failed': 'the status of a job follows its deployment at once',
    'deployment/paused': 'the status of a job follows its deployment at once',
    'deployment/pending': 'the status of a job follows its deployment at once',
    'deployment/stopped-job-running-deployment': 'the status of a job follows its deployment at once',
  },
  'scheduler/blocked': {
    'blocked/followup-of-a-followup': 'an allocation waits only for an evaluation that is stored',
  },
  'scheduler/canary': {
    'canary/start-6-of-4': 'all canaries that are wanted are placed at once, also more than the count',
    'canary/beyond-count-2-of-1': 'all canaries that are wanted are placed at once, also more than the count',
    'canary/beyond-count-3-of-2': 'all canaries that are wanted are placed at once, also more than the count',
    'canary/beyond-count-5-of-1': 'all canaries that are wanted are placed at once, also more than the count',
  },
  'scheduler/deployment': {
    'deployment/complete-failed': 'a failed deployment is over',
    'deployment/complete-cancelled': 'a cancelled deployment is over',
  },
  'scheduler/disconnect': {
    'disconnect/during-canary': 'a canary on a silent node is still a canary, so no healthy allocation is stopped for it',
    'disconnect/job-changed-while-unknown': 'what is out of sight is not replaced a second time by a new version',
  },
  'scheduler/reconnect': {
    'reconnect/replacement-failed': 'what a plan stops it does not write back as wanted',
    'reconnect/replacement-of-replacement': 'a stopped link does not hide the replacement behind it',
    'reconnect/still-unknown-node-ready': 'the replacement stays until the original has been heard of',
  },
  'scheduler/stop': {
    'stop/operator-stops-one-batch': 'what a person stopped says that it was moved, also of batch work',
  },
  'scheduler/system': {
    'system/constraint-filters-all': 'no deployment where nothing is to be watched',
    'system/exhausted-all': 'no deployment where nothing is to be watched',
    'system/deploy-next-h1-u1': 'an unhealthy allocation holds the roll-out',
  },
}
