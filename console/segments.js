// Owns the count of a text while it is being written: its alphabet, its units and the segments it will be billed as.
// The same rules as the daemon's, so that what the composer says is what the delivery will say.

export const MOST_UNITS = 1600;

const BASIC = new Set(
  '\n\r !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz' +
    '¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùüΓΔΘΛΞΠΣΦΨΩ',
);
const EXTENSION = new Set('\f[\\]^{|}~€');

const GSM7 = { name: 'GSM-7', single: 160, part: 153 };
const UCS2 = { name: 'UCS-2', single: 70, part: 67 };

// Consonants that newer Unicode joins to the one before (rule GB9c); the carriers' calculators do not.
const INDIC_CONSONANT =
  /[\u0915-\u0939\u0958-\u095f\u0978-\u097f\u0995-\u09b9\u09dc-\u09df\u09f0-\u09f1\u0a95-\u0ab9\u0af9\u0b15-\u0b39\u0b5c-\u0b5f\u0b71\u0c15-\u0c39\u0c58-\u0c5a\u0d15-\u0d3a]/;

const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Septets that a character takes in GSM-7: 1, or 2 if it is escaped; 0 if it is not in the alphabet. */
export function septets(character) {
  if (BASIC.has(character)) return 1;
  return EXTENSION.has(character) ? 2 : 0;
}

/** `{encoding, units, segments, left}`: `left` is what still fits into the last segment. */
export function count(text) {
  const sizes = Array.from(text, septets);
  return sizes.includes(0) ? packed(text.length, unsplittable(text), UCS2) : packed(sum(sizes), sizes, GSM7);
}

/** The characters that keep a text out of GSM-7, each once, in the order of their first use. */
export function costly(text) {
  return [...new Set(Array.from(text).filter((character) => septets(character) === 0))];
}

function packed(units, pieces, alphabet) {
  if (units <= alphabet.single) {
    return { encoding: alphabet.name, units, segments: 1, left: alphabet.single - units };
  }
  let segments = 1;
  let used = 0;
  for (const piece of pieces) {
    if (used + piece > alphabet.part) {
      segments += 1;
      used = 0;
    }
    used += piece;
  }
  return { encoding: alphabet.name, units, segments, left: alphabet.part - used };
}

// The sizes of what stays whole: grapheme clusters, unless one is longer than a part, and never CR LF.
function* unsplittable(text) {
  for (const { segment } of clusters.segment(text)) {
    if (segment === '\r\n' || segment.length > UCS2.part) {
      for (const character of segment) yield character.length;
    } else {
      yield* conjuncts(segment);
    }
  }
}

function* conjuncts(cluster) {
  let size = 0;
  for (const character of cluster) {
    if (size > 0 && INDIC_CONSONANT.test(character)) {
      yield size;
      size = 0;
    }
    size += character.length;
  }
  yield size;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
