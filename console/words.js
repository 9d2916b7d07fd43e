// Owns how people, numbers, times and waits are put into words. Knows no page: everything here is a function of what
// it is given.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What to call a customer: the name, else the number as people write it. */
export function nameOf(customer) {
  if (!customer) return 'Customer';
  const name = [customer.first_name, customer.last_name].filter(Boolean).join(' ').trim();
  return name || numberOf(customer) || 'Customer without a number';
}

/** A customer's number, spaced. Empty if there is none. */
export function numberOf(customer) {
  return spaced(customer?.phone_number ?? customer?.unconfirmed_phone_number ?? '');
}

/** `+14155550101` → `+1 415 555 0101`. Countries whose grouping we do not know keep their digits together. */
export function spaced(number) {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return american ? `+1 ${american[1]} ${american[2]} ${american[3]}` : number;
}

/** One or two letters for the picture; none where there is only a number. */
export function initials(customer) {
  const letters = [customer?.first_name, customer?.last_name]
    .filter(Boolean)
    .map((name) => Array.from(name.trim())[0] ?? '');
  return letters.join('').toLocaleUpperCase();
}

/** How long, in one breath: `12 s`, `4 min`, `1 h 20 min`, `3 days`. */
export function duration(ms) {
  const elapsed = Math.max(0, ms);
  if (elapsed < MINUTE) return `${Math.floor(elapsed / 1000)} s`;
  if (elapsed < HOUR) return `${Math.floor(elapsed / MINUTE)} min`;
  if (elapsed < DAY) {
    const minutes = Math.floor((elapsed % HOUR) / MINUTE);
    const hours = `${Math.floor(elapsed / HOUR)} h`;
    return minutes > 0 ? `${hours} ${minutes} min` : hours;
  }
  const days = Math.floor(elapsed / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

/** The same for ears and for sentences: `12 seconds`, `1 hour 20 minutes`. */
export function spokenDuration(ms) {
  return duration(ms)
    .replace(/(\d+) s\b/, (_, n) => counted(n, 'second'))
    .replace(/(\d+) h\b/, (_, n) => counted(n, 'hour'))
    .replace(/(\d+) min\b/, (_, n) => counted(n, 'minute'));
}

/** `calm`, `soon` after five minutes, `late` after fifteen. */
export function urgency(ms) {
  if (ms >= 15 * MINUTE) return 'late';
  return ms >= 5 * MINUTE ? 'soon' : 'calm';
}

/** `1 segment`, `2 segments`. */
export function counted(n, noun, plural = `${noun}s`) {
  return `${n} ${Number(n) === 1 ? noun : plural}`;
}

/** The names of those who do something: `Ada`, `Ada and Sam`, `Ada, Sam and Kim`. */
export function listed(names) {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The time of day, as the reader's country writes it. */
export function timeOf(iso, locale) {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(new Date(iso));
}

/** Day and time in full, for what is said about a tick. */
export function momentOf(iso, locale) {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso));
}

/** `Today`, `Yesterday`, the weekday within a week, then the date. */
export function dayOf(iso, now, locale) {
  const then = new Date(iso);
  const days = daysBetween(then, new Date(now));
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  const far = days > 6;
  const year = then.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return new Intl.DateTimeFormat(locale, far ? { day: 'numeric', month: 'long', year } : { weekday: 'long' }).format(
    then,
  );
}

/** When something was, as short as a list allows: the time today, else the day. */
export function briefly(iso, now, locale) {
  const then = new Date(iso);
  const days = daysBetween(then, new Date(now));
  if (days <= 0) return timeOf(iso, locale);
  if (days === 1) return 'Yesterday';
  if (days < 7) return new Intl.DateTimeFormat(locale, { weekday: 'short' }).format(then);
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }).format(then);
}

/** The day that a moment belongs to, in the reader's zone; equal for equal days. */
export function dayKey(iso) {
  const then = new Date(iso);
  return `${then.getFullYear()}-${then.getMonth() + 1}-${then.getDate()}`;
}

// Counted by calendar, not by hours: yesterday evening is yesterday at one in the morning.
function daysBetween(then, now) {
  const midnight = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(now) - midnight(then)) / DAY);
}

/** Why a session needs somebody, as the daemon's reason says it. Empty if there is nothing to add. */
export function reasonOf(reason) {
  if (!reason) return '';
  if (reason === 'possible_opt_out') return 'May want to unsubscribe';
  if (reason === 'loop_guard') return 'The bot was going round in circles';
  if (reason.startsWith('bot_disabled')) return 'The bot is switched off';
  if (reason.startsWith('bot_unavailable')) return 'The bot did not answer';
  return reason;
}
