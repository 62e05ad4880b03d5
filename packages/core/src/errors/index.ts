export { type LunaErrorCode, lunaErrorCodes } from './codes.ts';
export { LunaError, type LunaErrorDetails, messageOf, systemCodeOf, toLunaError } from './luna-error.ts';
