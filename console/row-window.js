// Owns which rows of a long list are drawn: those in sight, and gaps of the right height for all others.

/**
 * `items` have a `key`; `heightOf(item)` is its height. Drawn are those between `top` and `bottom`, and the one whose
 * key is `keep`, in sight or not. Gives the drawn `items`, with `{key, gap}` where some are left out, and the
 * `height` of all.
 */
export function windowed(items, { heightOf, top, bottom, keep }) {
  const drawn = [];
  let y = 0;
  let gap = 0;
  for (const item of items) {
    const height = heightOf(item);
    if ((y + height > top && y < bottom) || item.key === keep) {
      if (gap > 0) drawn.push({ key: `gap before ${item.key}`, gap });
      gap = 0;
      drawn.push(item);
    } else {
      gap += height;
    }
    y += height;
  }
  if (gap > 0) drawn.push({ key: 'gap at the end', gap });
  return { items: drawn, height: y };
}
