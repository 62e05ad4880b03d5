export const TOOLS = [
  {
    name: 'roll_dice',
    description: 'Rolls a dice with six sides.',
    handler: () => `You rolled ${1 + Math.floor(Math.random() * 6)}.`,
  },
];
