// Owns the customers' phones as a page: what one sees and writes as a customer, and the switches of the simulation. It
// talks to the simulator's own API beside it. Whatever was texted is text here, never HTML.

const API = '/simulator';
const WAIT_MS = 25_000;
const PAUSE_MS = 2000;
const SHOWN = 200;
const NUMBER = /^\+[1-9]\d{6,14}$/;
const MINE = 'switchboard phones';
const IN_HAND = 'switchboard phone in hand';
const LOOK = 'switchboard preferences';

const SENDS = {
  throttled: ['Too fast', 'refused with 429, not taken'],
  error_not_taken: ['Error, not taken', '503 before anything was done'],
  error_taken: ['Error, but taken', '500 although it goes out'],
  dropped_before: ['Line breaks before', 'not taken, no answer'],
  dropped_after: ['Line breaks after', 'taken, no answer'],
  slow: ['Slow answer', 'taken, and answered late'],
  receipt_first: ['Receipt first', 'delivered before the answer'],
};
const RECEIPTS = {
  lost: ['Lost', 'never comes'],
  repeated: ['Repeated', 'comes twice'],
  reordered: ['Out of order', 'comes after the next one'],
  late: ['Late', 'comes, but later'],
};
const OTHERS = {
  webhooks_lost: ['Webhook lost', 'a customer’s text is not told of'],
  reads_failed: ['Looking up fails', '503 when asked what became of a text'],
};
const TIMES = {
  retry_after_s: ['Too fast: wait', 's', 1],
  slow_ms: ['Slow answers take', 'ms', 500],
  late_ms: ['Late receipts take', 'ms', 500],
  list_lag_ms: ['The list lags', 'ms', 500],
};
// The last digits of a number choose what becomes of the texts to it.
const ENDINGS = {
  '+14155530003': 'cannot be reached',
  '+14155530004': 'blocks the brand',
  '+14155530005': 'does not exist',
  '+14155530006': 'is a landline',
  '+14155530007': 'has it filtered by the carrier',
  '+14155521610': 'has opted out at the provider',
  '+14155590001': 'never gives a receipt',
  '+14155590002': 'fails first, then has it after all',
};

const $ = (id) => document.getElementById(id);
const state = {
  ours: [],
  counts: new Map(),
  seen: new Map(),
  added: stored(MINE, []),
  current: null,
  texts: [],
  media: [],
  faults: null,
};

// --- the simulator's API

async function call(method, path, body, signal) {
  const response = await fetch(API + path, {
    method,
    signal,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The simulator answered ${response.status}.`);
  return answer;
}

// --- the phones

async function loadPhones() {
  const { numbers, phones } = await call('GET', '/phones');
  state.counts = new Map(phones.map(({ number, count }) => [number, count]));
  for (const { number, count } of phones) if (!state.seen.has(number)) state.seen.set(number, count);
  if (state.ours.join() !== numbers.join()) {
    state.ours = numbers;
    $('to').replaceChildren(...numbers.map((number) => h('option', { value: number }, spaced(number))));
  }
  if (!state.current)
    choose(known().find((number) => number === stored(IN_HAND, '')) ?? known()[0] ?? addPhone(freshNumber()));
  drawPhones();
}

function known() {
  return [...new Set([...state.added, ...state.counts.keys()])];
}

function addPhone(number) {
  if (!state.added.includes(number)) {
    state.added.push(number);
    keep(MINE, state.added);
  }
  return number;
}

// Of the numbers that are for fiction.
function freshNumber() {
  for (let last = 101; last < 200; last += 1) {
    const number = `+14155550${last}`;
    if (!known().includes(number)) return number;
  }
  return `+1415555${String(Math.floor(Math.random() * 10_000)).padStart(4, '0')}`;
}

function choose(number) {
  if (state.current === number) return;
  state.current = number;
  keep(IN_HAND, number);
  state.texts = [];
  $('who').textContent = spaced(number);
  document.title = `${spaced(number)} · Switchboard simulator`;
  drawPhones();
  drawTexts(true);
  watch();
}

let drawn = '';

// Only what differs from what is there takes its place; the focus stays with its phone.
function drawPhones() {
  const all = known().map((number) => {
    const fresh = number === state.current ? 0 : (state.counts.get(number) ?? 0) - (state.seen.get(number) ?? 0);
    return { number, fresh };
  });
  const now = JSON.stringify([state.current, all]);
  if (now === drawn) return;
  drawn = now;
  const focused = document.activeElement?.dataset.number;
  $('phones').replaceChildren(
    ...all.map(({ number, fresh }) => {
      const button = h(
        'button',
        { type: 'button', class: 'phone-choice', 'aria-pressed': String(number === state.current) },
        h('span', {}, spaced(number)),
        ENDINGS[number] ? h('span', { class: 'ending' }, ENDINGS[number]) : null,
        fresh > 0 ? h('span', { class: 'fresh' }, String(fresh), h('span', { class: 'spoken' }, ' new')) : null,
      );
      button.dataset.number = number;
      return h('li', {}, button);
    }),
  );
  if (focused) [...$('phones').querySelectorAll('button')].find(({ dataset }) => dataset.number === focused)?.focus();
}

function onPhone(event) {
  const button = event.target.closest('button');
  if (!button) return;
  // Not every browser gives a pressed button the focus.
  button.focus();
  choose(button.dataset.number);
}

function onAdd(event) {
  event.preventDefault();
  const field = $('number');
  const number = field.value.replace(/[\s().-]/g, '');
  if (!NUMBER.test(number))
    return refuse(field, $('number-problem'), 'Write + and the country code, then the number: 7 to 15 digits.');
  clear(field, $('number-problem'));
  field.value = '';
  choose(addPhone(number));
  $('body').focus();
}

// --- the texts on the phone in hand

let watching = null;

/** Waits for what is new on the phone in hand, as long as it is in hand. */
async function watch() {
  watching?.abort();
  const mine = (watching = new AbortController());
  const number = state.current;
  let after = Math.max(0, (state.counts.get(number) ?? 0) - SHOWN);
  let first = true;
  while (!mine.signal.aborted) {
    try {
      const wait = first ? 0 : WAIT_MS;
      const { count, texts } = await call(
        'GET',
        `/phones/${encodeURIComponent(number)}/texts?after=${after}&wait_ms=${wait}`,
        undefined,
        mine.signal,
      );
      online(true);
      // Somebody had everything forgotten.
      if (count < after) {
        state.texts = [];
        after = 0;
        drawTexts(true);
        continue;
      }
      state.texts.push(...texts);
      state.counts.set(number, count);
      state.seen.set(number, count);
      if (texts.length > 0 || first) drawTexts(first);
      if (!first) for (const text of texts) if (text.direction === 'received') hear(text);
      after = count;
      first = false;
    } catch {
      if (mine.signal.aborted) return;
      online(false);
      await pause(PAUSE_MS);
    }
  }
}

function drawTexts(toEnd) {
  const screen = $('screen');
  const atEnd = toEnd || screen.scrollHeight - screen.scrollTop - screen.clientHeight < 40;
  const shown = state.texts.slice(-SHOWN);
  const items = [];
  shown.forEach((text, at) => {
    const before = shown[at - 1];
    if (!before || dayOf(before.at) !== dayOf(text.at)) items.push(h('li', { class: 'day' }, dayOf(text.at)));
    items.push(bubble(text, shown[at + 1]));
  });
  $('texts').replaceChildren(...items);
  $('note').textContent = shown.length === 0 ? 'No texts yet. Write one: the brand hears of it at once.' : '';
  if (atEnd) screen.scrollTop = screen.scrollHeight;
}

function bubble(text, next) {
  const own = text.direction === 'sent';
  const last = !next || next.direction !== text.direction;
  const who = own ? 'You' : text.network ? 'The network' : 'The brand';
  const media = text.media_urls.length;
  const failed = own && text.status === 'failed';
  return h(
    'li',
    { class: `text ${own ? 'own' : 'theirs'}${text.network ? ' network' : ''}${last ? ' last' : ''}` },
    h('span', { class: 'spoken' }, `${who}: `),
    h(
      'div',
      { class: 'bubble' },
      text.body ? h('p', { dir: 'auto' }, text.body) : null,
      media > 0 ? h('p', { class: 'media' }, media === 1 ? '1 attachment' : `${media} attachments`) : null,
    ),
    last || failed
      ? h('p', { class: 'meta' }, text.network ? 'Network · ' : '', timeOf(text.at), statusOf(text, own))
      : null,
    failed ? h('button', { type: 'button', class: 'again', 'data-sid': text.sid }, 'Call the brand again') : null,
  );
}

function statusOf(text, own) {
  if (!own) return null;
  if (text.status === 'failed') return h('span', { class: 'failed' }, ' · The brand was not reached');
  return text.status === 'sending' ? ' · Sending…' : ' · Delivered';
}

function hear(text) {
  const media = text.media_urls.length > 0 ? ' With an attachment.' : '';
  $('heard').textContent = `${text.network ? 'The network' : 'The brand'} texted: ${text.body}${media}`;
}

// --- writing

async function write(body) {
  const number = state.current;
  if (!body && state.media.length === 0) return;
  clear($('body'), $('write-problem'));
  const media_urls = state.media;
  attach([]);
  try {
    const sending = call('POST', '/texts', { from: number, to: $('to').value, body, media_urls });
    addPhone(number);
    await sending;
    await refresh(number);
  } catch (error) {
    if (!$('body').value) $('body').value = body;
    attach(media_urls);
    refuse($('body'), $('write-problem'), wordsOf(error));
  }
}

// What became of a text changes no count, so no waiting call tells of it.
async function refresh(number) {
  if (number !== state.current) return;
  const start = Math.max(0, (state.counts.get(number) ?? 0) - state.texts.length);
  const { count, texts } = await call('GET', `/phones/${encodeURIComponent(number)}/texts?after=${start}`);
  if (number !== state.current || count !== state.counts.get(number)) return;
  state.texts = texts;
  drawTexts(false);
}

function onWrite(event) {
  event.preventDefault();
  const body = $('body').value.trim();
  $('body').value = '';
  fit();
  write(body);
  $('body').focus();
}

function onKey(event) {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) onWrite(event);
}

async function onAgain(event) {
  const button = event.target.closest('[data-sid]');
  if (!button) return;
  button.disabled = true;
  const answer = await call('POST', `/texts/${button.dataset.sid}/webhook`).catch((error) => ({
    error: wordsOf(error),
  }));
  const reached = answer.status >= 200 && answer.status < 300;
  button.textContent = reached ? 'The brand was reached' : 'Not reached again';
}

function attach(media) {
  state.media = media;
  $('attached').textContent =
    media.length === 0 ? '' : media.length === 1 ? '1 attachment' : `${media.length} attachments`;
}

function fit() {
  const field = $('body');
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}

// --- what goes wrong

function drawFaultForm() {
  const group = (title, chances, of) =>
    h(
      'fieldset',
      {},
      h('legend', {}, title),
      Object.entries(chances).map(([name, words]) => slider(of ? `${of}.${name}` : name, words)),
    );
  $('faults').replaceChildren(
    group('When a text is sent', SENDS, 'sends'),
    group('Receipts', RECEIPTS, 'receipts'),
    group('On the way to the brand', OTHERS, ''),
    h(
      'fieldset',
      {},
      h('legend', {}, 'Times'),
      Object.entries(TIMES).map(([name, words]) => amount(name, words)),
    ),
  );
  $('next').replaceChildren(...Object.entries(SENDS).map(([name, [words]]) => h('option', { value: name }, words)));
}

function slider(name, [words, hint]) {
  const id = `fault-${name}`;
  const value = h('output', { for: id });
  const input = h('input', {
    type: 'range',
    id,
    name,
    min: 0,
    max: 100,
    step: 5,
    value: 0,
    'aria-describedby': `${id}-hint`,
  });
  input.addEventListener('input', () => showChance(input, value));
  return h(
    'div',
    { class: 'chance' },
    h('label', { for: id }, words),
    value,
    input,
    h('span', { class: 'hint', id: `${id}-hint` }, hint),
  );
}

function showChance(input, value) {
  value.textContent = `${input.value} %`;
  input.setAttribute('aria-valuetext', `${input.value} percent`);
  input.closest('.chance').classList.toggle('on', Number(input.value) > 0);
}

function amount(name, [words, unit, step]) {
  const id = `fault-${name}`;
  return h(
    'div',
    { class: 'amount' },
    h('label', { for: id }, words),
    h('input', { type: 'number', id, name, min: 0, max: 3_600_000, step, required: true }),
    h('span', { 'aria-hidden': 'true' }, unit),
    h('span', { class: 'spoken' }, unit === 's' ? 'seconds' : 'milliseconds'),
  );
}

async function loadFaults() {
  showFaults(await call('GET', '/faults'));
}

function showFaults(faults) {
  state.faults = faults;
  for (const input of $('faults').elements) {
    const value = input.name && readPath(faults, input.name);
    if (input.type === 'range') {
      input.value = Math.round((value ?? 0) * 100);
      showChance(input, input.parentElement.querySelector('output'));
    } else if (input.type === 'number') {
      input.value = value ?? 0;
    }
  }
  const { next_sends: next } = faults;
  $('queued').textContent =
    next.length === 0 ? '' : `Next: ${next.map((name) => SENDS[name]?.[0] ?? 'nothing').join(', then ')}.`;
}

// The simulator takes all of them at once.
function writtenFaults() {
  const faults = { ...state.faults, sends: {}, receipts: {} };
  for (const input of $('faults').elements) {
    if (!input.name) continue;
    const value = Number(input.value) / (input.type === 'range' ? 100 : 1);
    const [group, name] = input.name.split('.');
    if (!name) faults[group] = value;
    else if (value > 0) faults[group][name] = value;
  }
  return faults;
}

async function setFaults(faults) {
  try {
    showFaults(await call('PUT', '/faults', faults));
    $('faults-problem').textContent = '';
  } catch (error) {
    $('faults-problem').textContent = wordsOf(error);
  }
}

function onFault() {
  if (!$('faults').checkValidity()) return $('faults').reportValidity();
  const faults = writtenFaults();
  const over = [faults.sends, faults.receipts].map(percentOf).find((percent) => percent > 100);
  if (!over) return setFaults(faults);
  $('faults-problem').textContent = `These chances add up to ${over} %. At most one strikes, so 100 % is the most.`;
  return undefined;
}

function percentOf(chances) {
  return Math.round(Object.values(chances).reduce((sum, chance) => sum + chance, 0) * 100);
}

async function onQueue() {
  // Those that were queued may have struck meanwhile.
  const now = await call('GET', '/faults').catch(() => state.faults);
  setFaults({ ...now, next_sends: [...now.next_sends, $('next').value] });
}

function onReset() {
  const sure = $('sure');
  sure.returnValue = 'no';
  sure.showModal();
  sure.onclose = async () => {
    if (sure.returnValue !== 'yes') return;
    await call('POST', '/reset').catch((error) => ($('faults-problem').textContent = wordsOf(error)));
    state.seen.clear();
    state.counts.clear();
    state.texts = [];
    drawTexts(true);
    watch();
    loadFaults().catch(() => {});
  };
}

// --- words and small things

function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value === true ? '' : String(value));
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function spaced(number) {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return american ? `+1 ${american.slice(1).join(' ')}` : number;
}

function timeOf(at) {
  return new Date(at).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
}

function dayOf(at) {
  const day = new Date(at).toDateString();
  if (day === new Date().toDateString()) return 'Today';
  return new Date(at).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
}

function readPath(object, path) {
  return path.split('.').reduce((inner, name) => inner?.[name], object);
}

function wordsOf(error) {
  return error instanceof TypeError ? 'The simulator cannot be reached.' : error.message;
}

function refuse(field, problem, words) {
  problem.textContent = words;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}

function clear(field, problem) {
  problem.textContent = '';
  field.removeAttribute('aria-invalid');
}

function online(reached) {
  const words = reached ? '' : 'The simulator cannot be reached. Trying again…';
  if ($('line').textContent !== words) $('line').textContent = words;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function stored(place, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(place)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(place, value) {
  try {
    localStorage.setItem(place, JSON.stringify(value));
  } catch {
    // Then for as long as the page is open.
  }
}

function wear(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

// --- the beginning

$('theme').value = stored(LOOK, {}).theme ?? 'system';
wear($('theme').value);
$('theme').addEventListener('change', ({ target }) => {
  keep(LOOK, { ...stored(LOOK, {}), theme: target.value });
  wear(target.value);
});
$('numbers').append(...Object.entries(ENDINGS).map(([number, words]) => h('option', { value: number }, words)));
$('phones').addEventListener('click', onPhone);
$('add').addEventListener('submit', onAdd);
$('write').addEventListener('submit', onWrite);
$('body').addEventListener('keydown', onKey);
$('body').addEventListener('input', fit);
$('texts').addEventListener('click', onAgain);
$('attach').addEventListener('click', () =>
  attach([...state.media, `https://media.example/picture-${state.media.length + 1}.jpg`]),
);
for (const button of document.querySelectorAll('[data-keyword]'))
  button.addEventListener('click', () => write(button.dataset.keyword));
$('faults').addEventListener('change', onFault);
$('faults').addEventListener('submit', (event) => event.preventDefault());
$('no-faults').addEventListener('click', () => setFaults({}));
$('queue').addEventListener('click', onQueue);
$('reset').addEventListener('click', onReset);

drawFaultForm();
// A simulator by itself has no console.
fetch('/console', { method: 'HEAD' }).then(
  ({ ok }) => ($('console').hidden = !ok),
  () => {},
);
for (;;) {
  try {
    if (!document.hidden || !state.current) await loadPhones();
    if (!state.faults) await loadFaults();
    online(true);
  } catch {
    online(false);
  }
  await pause(PAUSE_MS);
}
