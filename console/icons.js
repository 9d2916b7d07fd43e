// Owns the drawings. All are strokes on a grid of 20 by 20, and say nothing to screen readers: whoever shows one,
// names it.

import { h } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

const STROKES = {
  search: ['M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z', 'm13 13 3.5 3.5'],
  settings: [
    'M3.5 6h7',
    'M14.5 6h2',
    'M3.5 14h2',
    'M9.5 14h7',
    'M12.5 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
    'M7.5 12a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
  ],
  help: ['M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Z', 'M8 8a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.3', 'M10 13.8v.1'],
  back: ['M12.5 4.5 7 10l5.5 5.5'],
  down: ['M10 4v11.5', 'm5 11 5 5 5-5'],
  close: ['m5 5 10 10', 'M15 5 5 15'],
  details: ['M3.5 4.5h13v11h-13Z', 'M12 4.5v11'],
  filter: ['M3.5 5.5h13', 'M6 10h8', 'M8.5 14.5h3'],
  send: ['M3.8 10 16.5 4l-4.3 12.5-2.7-5.2Z', 'm9.5 11.3 3-3.3'],
  replies: ['M4 4.5h12v8.5H9l-3.5 3V13H4Z', 'M7 7.7h6', 'M7 10h3.5'],
  clock: ['M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z', 'M10 6.5V10l2.3 1.6'],
  sent: ['m4.5 10.5 3.5 3.5 7.5-8'],
  delivered: ['m2 10.5 3.3 3.5L12 6.5', 'm8.8 13.4.7.6L16.8 6'],
  warning: ['M10 3.2 17.5 16h-15Z', 'M10 8v3.8', 'M10 13.9v.1'],
  bot: ['M5 7.5h10v7.5H5Z', 'M10 7.5V4.5', 'M10 4.2v.1', 'M8 10.6v1', 'M12 10.6v1', 'M3 10.5v2', 'M17 10.5v2'],
  person: ['M10 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z', 'M4.5 16.5c.5-2.8 2.6-4.3 5.5-4.3s5 1.5 5.5 4.3'],
  attachment: ['m15.5 9.5-5.6 5.6a3.2 3.2 0 0 1-4.6-4.6l6-6a2.2 2.2 0 0 1 3.1 3.1l-5.8 5.8a1 1 0 0 1-1.5-1.5l5.2-5.1'],
  stop: ['M7 3h6l4 4v6l-4 4H7l-4-4V7Z', 'M6.5 10h7'],
  plus: ['M10 4.5v11', 'M4.5 10h11'],
  spark: ['M10 3.5 11.6 8.4 16.5 10l-4.9 1.6L10 16.5l-1.6-4.9L3.5 10l4.9-1.6Z'],
};

/** A drawing by its name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('focusable', 'false');
  for (const stroke of STROKES[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', stroke);
    svg.append(path);
  }
  return svg;
}

/** The mark of the product: two jacks and the cord between them. */
export function mark() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'mark');
  svg.setAttribute('aria-hidden', 'true');
  for (const [name, attributes] of [
    ['rect', { x: 1, y: 1, width: 22, height: 22, rx: 6, class: 'mark-board' }],
    ['path', { d: 'M7.5 8v3.5c0 6 9 6 9 0V8', class: 'mark-cord' }],
    ['circle', { cx: 7.5, cy: 7, r: 2, class: 'mark-jack' }],
    ['circle', { cx: 16.5, cy: 7, r: 2, class: 'mark-jack' }],
  ]) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
    svg.append(shape);
  }
  return svg;
}

/** A button that shows a drawing only, and is called `label`. */
export function iconButton(name, label, attributes) {
  const button = { class: 'plain icon-button', type: 'button', 'aria-label': label, ...attributes };
  return h('button', button, icon(name));
}
