/** The one thing that can be asked for: to use the tools of the hub `main`. */
export const toolScope = 'mcp';
/** The claim of an access token that says by whose consent it was given. */
export const grantClaim = 'luna_grant';
/** Where a person decides about a client. */
export const consentPath = '/auth/consent';
