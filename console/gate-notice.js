// Owns what stands where one would write: why it is not possible now, and what would open it.

import { fill, h } from './dom.js';
import { icon } from './icons.js';

const ICONS = { unsubscribed: 'stop', unconfirmed: 'warning', bot: 'bot', assigned: 'person' };

/** `act(name)` is told `takeOver` or `assign`. */
export function createGateNotice(act) {
  const element = h('div', { class: 'notice', role: 'status', tabindex: '-1', hidden: true });
  let shown = null;

  /** `gate` as `mayWrite` has it. */
  function draw(gate) {
    if (shown?.kind === gate.kind && shown.words === gate.words) return;
    shown = gate;
    element.hidden = !gate.words;
    element.className = `notice notice-${gate.kind}`;
    fill(element, icon(ICONS[gate.kind] ?? 'clock'), h('p', {}, gate.words), opener(gate));
  }

  function opener({ action, holder }) {
    if (!action) return null;
    const words = action === 'takeOver' ? 'Take over' : `Take it from ${holder}`;
    const style = action === 'takeOver' ? 'primary' : '';
    return h('button', { class: style, type: 'button', onclick: () => act(action) }, words);
  }

  return { element, draw, focus: () => (element.querySelector('button') ?? element).focus() };
}
