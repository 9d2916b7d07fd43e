// Owns what is said about the size of a text: what is left of its segment, when it is too long, and when a few
// characters make it dear.

import { announce } from './announcer.js';
import { fill, h, setText } from './dom.js';
import { plain } from './plain-characters.js';
import { costly, count, MOST_UNITS } from './segments.js';
import { counted } from './words.js';

/** Whether a text of this length is taken. */
export function fits(text) {
  return text.length <= MOST_UNITS;
}

/**
 * `rewrite(text)` is called when the writer wants the plain one. The two elements have `id` and `id-costly` as their
 * ids.
 */
export function createCountLine(id, rewrite) {
  const number = h('p', { class: 'count', id });
  const costs = h('p', { class: 'costly', id: `${id}-costly`, hidden: true });
  let segments = 1;

  function draw(text) {
    const counts = count(text);
    number.classList.toggle('is-over', !fits(text));
    setText(number, text ? wordsOf(text, counts) : '');
    drawCosts(text, counts);
    if (text && counts.segments !== segments) announce(counted(counts.segments, 'segment'));
    segments = counts.segments;
  }

  // Most who write a curly quote did not mean to pay for it.
  function drawCosts(text, counts) {
    const simpler = plain(text);
    const saved = counts.encoding === 'UCS-2' && count(simpler).segments < counts.segments;
    costs.hidden = !saved;
    if (!saved) return;
    const dear = costly(text).filter((character) => plain(character) !== character);
    const words = `${dear.slice(0, 3).join(' ')} make this ${counted(counts.segments, 'segment')} long. `;
    const offer = `Use plain characters: ${counted(count(simpler).segments, 'segment')}`;
    fill(costs, words, h('button', { class: 'plain small', type: 'button', onclick: () => rewrite(simpler) }, offer));
  }

  return { number, costs, draw };
}

function wordsOf(text, { left, segments, encoding }) {
  if (fits(text)) return `${left} left · ${counted(segments, 'segment')} · ${encoding}`;
  return `${counted(text.length - MOST_UNITS, 'character')} too long; ${MOST_UNITS.toLocaleString()} fit`;
}
