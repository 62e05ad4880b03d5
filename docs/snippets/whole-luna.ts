import { createLuna } from '@luna/core/control';

const luna = await createLuna({ home: './my-luna', version: '1.0.0' });
await luna.start();

luna.onEvent((event) => {
  if (event.type === 'call.ended') console.log(`${event.call.tool}: ${event.call.outcome}`);
});
for (const source of luna.registry.sources()) console.log(source.id, source.health().status);

const { result } = await luna.admin.callTool({ name: 'hello', args: { name: 'you' }, caller: { kind: 'script' } });
console.log(result.content);
await luna.close();
