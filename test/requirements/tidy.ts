export const requirements = [
  { id: 'TIDY-1', text: 'A folder imports only what its row of the table names.', source: 'DESIGN §6' },
  { id: 'TIDY-2', text: 'The write side never imports the read side, nor the reverse.', source: 'DESIGN §2 inv. 5' },
  { id: 'TIDY-3', text: 'No barrels.', source: 'DESIGN §6' },
  { id: 'TIDY-4', text: '@affidavit/evidence has no dependencies.', source: 'DESIGN §6' },
  { id: 'TIDY-5', text: 'Files stop at 300 lines.', source: 'DESIGN §9.3' },
  {
    id: 'TIDY-6',
    text: 'Functions stop at 60 lines and 4 parameters, none of them boolean.',
    source: 'DESIGN §9.2, §9.3',
  },
  { id: 'TIDY-7', text: 'Names that say nothing are banned.', source: 'DESIGN §8' },
  { id: 'TIDY-8', text: 'No any, no non-null assertion, no cast outside a parse function.', source: 'DESIGN §9.4' },
  { id: 'TIDY-9', text: 'No catch swallows.', source: 'DESIGN §9.5' },
  { id: 'TIDY-10', text: 'No module mocks, no tests switched off.', source: 'DESIGN §9.9' },
  { id: 'TIDY-11', text: 'Nothing committed names one machine or a registry host.', source: 'CONTRIBUTING' },
  { id: 'TIDY-12', text: 'Nothing is left for later in the code.', source: 'CONTRIBUTING' },
] as const
