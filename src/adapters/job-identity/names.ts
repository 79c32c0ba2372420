/** Where a job of GitHub Actions asks who it is, and with what. Not for scripts: who has both can say that he is the job. */
export const JOB_IDENTITY_NAMES = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'] as const;
