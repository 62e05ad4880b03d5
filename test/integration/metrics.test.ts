import { describe, expect, test } from 'vitest';
import { connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, put, stdioServer } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';
import { PersonInBrowser } from './support/person.ts';

async function scrape(luna: RunningLuna, token: string | undefined): Promise<Response> {
  return fetch(`${luna.url}/metrics`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
}

/** The value of a series that is written exactly so. */
function figureIn(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('/metrics', () => {
  test('tells of calls, sources, hubs, requests and the process', async () => {
    const luna = await startLuna(
      await homeOf({
        'extensions/one/tools/one_tools.js': `${fixedTool('one', '1').slice(0, -3)}, { name: 'bad', description: 'Fails.', handler: () => { throw new Error('no') } }];\n`,
        'master_config.json': JSON.stringify({
          remote_mcp_servers: { good: stdioServer, gone: { url: 'http://127.0.0.1:9/mcp' } },
        }),
      }),
    );
    const client = await connectHttp('client 2.x, 2025-11-25', luna);
    for (let calls = 0; calls < 3; calls++) await client.call('one');
    await client.call('bad');
    await luna.api('POST', 'tools/call', { name: 'one' });
    await fetch(`${luna.url}/nothing/${Math.random()}`, { method: 'POST' });
    const token = (await luna.env()).SUPERVISOR_API_TOKEN;
    await scrape(luna, token);
    const answer = await eventually(async () => {
      const got = await scrape(luna, token);
      const text = await got.text();
      expect(figureIn(text, 'luna_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
      // The client opens its stream when it likes.
      expect(figureIn(text, 'luna_hub_streams{hub="default"}')).toBe(1);
      return { got, text };
    });
    const { got, text } = answer;
    expect(got.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const value = (series: string) => figureIn(text, series);
    expect(value('luna_tool_calls_total{caller="hub",hub="default",tool="one",outcome="ok"}')).toBe(3);
    expect(value('luna_tool_calls_total{caller="hub",hub="default",tool="bad",outcome="tool_error"}')).toBe(1);
    expect(value('luna_tool_calls_total{caller="api",hub="",tool="one",outcome="ok"}')).toBe(1);
    expect(value('luna_tool_call_duration_seconds_count{caller="hub",hub="default",tool="one"}')).toBe(3);
    expect(value('luna_tool_call_duration_seconds_bucket{caller="hub",hub="default",tool="one",le="+Inf"}')).toBe(3);
    expect(value('luna_sources{kind="extension",status="ready"}')).toBe(1);
    expect(value('luna_sources{kind="mcp",status="ready"}')).toBe(1);
    expect(value('luna_sources{kind="mcp",status="down"}')).toBe(1);
    expect(value('luna_hub_sessions{hub="default"}')).toBe(1);
    expect(value('luna_hub_streams{hub="default"}')).toBe(1);
    expect(value('luna_http_requests_total{route="/api/supervisor/tools/call",method="POST",status="200"}')).toBe(1);
    expect(value('luna_http_requests_total{route="/api/mcp-{name}",method="POST",status="200"}')).toBeGreaterThan(4);
    // A path that nobody serves makes no label of its own.
    expect(value('luna_http_requests_total{route="(none)",method="POST",status="404"}')).toBe(1);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value('luna_ready')).toBe(1);
    expect(value('luna_config_valid')).toBe(1);
    // Every line is one that Prometheus reads.
    for (const line of text.split('\n'))
      expect(line).toMatch(
        /^(?:|# (?:HELP|TYPE) .+|[a-z_]+(?:\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})? [-+.\deInf]+)$/,
      );
    await put(luna.home, 'master_config.json', '{');
    await eventually(async () =>
      expect(figureIn(await (await scrape(luna, token)).text(), 'luna_config_valid')).toBe(0),
    );
  });

  test('wants its token, the token of the supervisor, or who is signed in', async () => {
    const luna = await startLuna(await homeOf({ '.env': 'METRICS_TOKEN=for-prometheus\n' }));
    expect((await scrape(luna, 'for-prometheus')).status).toBe(200);
    expect((await scrape(luna, (await luna.env()).SUPERVISOR_API_TOKEN)).status).toBe(200);
    const nobody = await scrape(luna, undefined);
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('www-authenticate')).toContain('Bearer');
    for (const wrong of ['for-prometheu', 'for-prometheus2', 'undefined', await luna.hubKey()])
      expect((await scrape(luna, wrong)).status).toBe(401);
    const person = new PersonInBrowser(luna.url);
    await person.signInByLink(luna);
    expect((await person.send('GET', '/metrics')).status).toBe(200);
    // It opens nothing else.
    const status = await fetch(`${luna.url}/api/supervisor/status`, {
      headers: { authorization: 'Bearer for-prometheus' },
    });
    expect(status.status).toBe(401);
    // Guessing it is as tedious as guessing any key.
    let last = 0;
    for (let tries = 0; tries < 25; tries++) last = (await scrape(luna, `guess-${tries}`)).status;
    expect(last).toBe(429);
    expect((await scrape(luna, 'for-prometheus')).status).toBe(200);
  });

  test('without a token of its own no empty one opens it, and the environment wins over .env', async () => {
    const none = await startLuna(await homeOf({ '.env': 'METRICS_TOKEN=\n' }));
    for (const wrong of ['', ' ', 'undefined']) expect((await scrape(none, wrong)).status).toBe(401);
    const luna = await startLuna(await homeOf({ '.env': 'METRICS_TOKEN=in-the-file\n' }), {
      env: { METRICS_TOKEN: 'in-the-environment' },
    });
    expect((await scrape(luna, 'in-the-environment')).status).toBe(200);
    expect((await scrape(luna, 'in-the-file')).status).toBe(401);
  });
});
