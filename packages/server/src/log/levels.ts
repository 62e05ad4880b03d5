/** Levels of the log, the least severe first. `silent` logs nothing. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

/** The name of the log within the folder of logs. */
export const logName = 'luna.log';
