import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

export const SYSTEM_PROMPT = 'Ask for the place before you ask for the weather.';

export const TOOLS = [
  defineTool({
    name: 'weather',
    title: 'Weather',
    description: 'The weather at a place now.',
    input: z.object({ place: z.string().min(1), units: z.enum(['metric', 'imperial']).default('metric') }),
    annotations: { readOnlyHint: true },
    examples: [{ prompt: 'How is the weather in Lima?', args: { place: 'Lima' } }],
    handler: async ({ place, units }, { signal, progress }) => {
      progress({ progress: 0, total: 1, message: 'Asking the service' });
      const url = new URL('https://weather.example/now');
      url.search = new URLSearchParams({ place, units, key: process.env.WEATHER_KEY ?? '' }).toString();
      const response = await fetch(url, { signal });
      if (!response.ok) return [false, `The weather service answered with HTTP ${response.status}.`];
      return response.json();
    },
  }),
];
