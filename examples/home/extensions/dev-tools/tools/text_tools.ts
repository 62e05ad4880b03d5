import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

const answerSchema = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });
const limitMs = 120_000;

/** Asks the model that is configured; undefined where none is. */
async function askModel(system: string, prompt: string, signal: AbortSignal): Promise<string | undefined> {
  const { AI_BASE_URL, AI_API_KEY, AI_MODEL } = process.env;
  if (!AI_BASE_URL) return undefined;
  const response = await fetch(`${AI_BASE_URL.replace(/\/+$/, '')}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(AI_API_KEY && { authorization: `Bearer ${AI_API_KEY}` }) },
    body: JSON.stringify({
      model: AI_MODEL ?? 'default',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: prompt },
      ],
    }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
  });
  if (!response.ok)
    throw new Error(`The model answered with HTTP ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return answerSchema.parse(await response.json()).choices[0]?.message.content;
}

const noModel =
  'No model is configured, so this was made by a fixed rule. Set AI_BASE_URL (and AI_API_KEY, AI_MODEL) in .env for one.';

export const TOOLS = [
  defineTool({
    name: 'code_gen',
    description:
      'Writes code for a task by the configured AI service. Without one it gives a bare outline, and says so.',
    input: z.object({ task: z.string().min(1).max(20_000), language: z.string().default('typescript') }),
    output: z.object({ code: z.string(), by: z.enum(['model', 'fallback']), note: z.string().optional() }),
    handler: async ({ task, language }, { signal }) => {
      const code = await askModel(`Write ${language}. Answer with code alone.`, task, signal);
      if (code !== undefined) return { code, by: 'model' };
      const mark = language === 'python' || language === 'bash' ? '#' : '//';
      const lines = task
        .trim()
        .split('\n')
        .map((line) => `${mark} ${line}`);
      return { code: `${mark} To be written in ${language}:\n${lines.join('\n')}\n`, by: 'fallback', note: noModel };
    },
  }),
  defineTool({
    name: 'text_summarize',
    description: 'Sums up a text by the configured AI service. Without one it gives the first sentences, and says so.',
    input: z.object({ text: z.string().min(1).max(500_000), sentences: z.int().min(1).max(20).default(3) }),
    output: z.object({ summary: z.string(), by: z.enum(['model', 'fallback']), note: z.string().optional() }),
    handler: async ({ text, sentences }, { signal }) => {
      const summary = await askModel(`Sum up in at most ${sentences} sentences.`, text, signal);
      if (summary !== undefined) return { summary, by: 'model' };
      const parts = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)].slice(0, sentences);
      return {
        summary: parts
          .map(({ segment }) => segment)
          .join('')
          .trim(),
        by: 'fallback',
        note: noModel,
      };
    },
  }),
];
