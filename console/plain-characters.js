// Owns how typographic characters are written with plain ones, so that a text fits the cheaper alphabet.

const PLAIN = new Map(
  Object.entries({
    '‘’‚‛′`´': "'",
    '“”„‟″«»': '"',
    '‐‑‒–—―−': '-',
    '•·': '-',
    '…': '...',
    '\u00a0\u2002\u2003\u2009\u202f\t': ' ',
    '\u200b\u200c\u2060\ufeff': '',
  }).flatMap(([characters, plain]) => Array.from(characters, (character) => [character, plain])),
);

/** The text with plain quotes, dashes, dots and spaces. Letters and emoji stay as they are. */
export function plain(text) {
  return Array.from(text, (character) => PLAIN.get(character) ?? character).join('');
}
