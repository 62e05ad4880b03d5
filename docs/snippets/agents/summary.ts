import { defineAgent, lastUserText } from '@luna/core/agents';

// agents/digest.ts of a home: looks at each page that the user names, side by side, and has the model sum them up.
export default defineAgent({
  name: 'digest',
  description: 'Reads the pages that are named and sums them up.',
  async run(turn) {
    const urls = lastUserText(turn.messages).match(/https?:\/\/\S+/g) ?? [];
    const pages = await Promise.all(urls.map((url) => turn.call('fetch_page', { url })));
    const texts = pages.map((page) => page.content.map((block) => block.text ?? '').join('\n'));
    const question = { role: 'user', content: `Sum up each of these pages in a sentence:\n\n${texts.join('\n---\n')}` };
    await turn.ask({ messages: [...turn.preamble, question], say: true });
  },
});
