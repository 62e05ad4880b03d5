import { dirname } from 'node:path';
import { LunaError } from '@luna/core/errors';

export interface SystemdUnitOptions {
  readonly home: string;
  /** The program of Node and that of luna, as full paths. */
  readonly node: string;
  readonly luna: string;
  /** A service of one person, without rights of the system. */
  readonly isUser: boolean;
  /** Whom a service of the system runs as. */
  readonly user?: string | undefined;
}

/** Without a sign of life for so long Luna is started anew, in seconds. */
const watchdogSeconds = 60;

/** A unit of systemd that keeps Luna running, and knows when it is ready. */
export function systemdUnit({ home, node, luna, isUser, user }: SystemdUnitOptions): string {
  const path = [dirname(node), '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const account = isUser || user === undefined ? [] : [`User=${user}`];
  return `# Keeps Luna running. Written by "luna install --systemd"; write it anew after Node or Luna has moved.
[Unit]
Description=Luna, on ${inUnit(home)}
Documentation=file://${encodeURI(luna)}
After=network-online.target
Wants=network-online.target
# After five failures within ten minutes a person has to look.
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=notify
# Luna has systemd-notify speak for it.
NotifyAccess=all
${[...account, `WorkingDirectory=${inUnit(home)}`].join('\n')}
Environment=${quoted(`PATH=${[...new Set(path)].join(':')}`)}
ExecStart=${[node, luna, 'start', '--home', home].map(quoted).join(' ')}
TimeoutStartSec=90
# Luna itself ends within 10 seconds.
TimeoutStopSec=20
KillMode=mixed
Restart=always
RestartSec=2
WatchdogSec=${watchdogSeconds}
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
${isUser ? '' : 'ProtectSystem=full\n'}
[Install]
WantedBy=${isUser ? 'default.target' : 'multi-user.target'}
`;
}

/** One word of a command, as systemd reads it: nothing in it is a specifier, a variable or an escape. */
function quoted(text: string): string {
  return `"${inUnit(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '$$$$')}"`;
}

/** Throws `invalid_input` for what would begin a line of its own. */
function inUnit(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new LunaError(
      'invalid_input',
      `${JSON.stringify(text)} holds a character that a unit of systemd cannot have.`,
    );
  return text.replaceAll('%', '%%');
}
