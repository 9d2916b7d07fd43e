// Owns what an agent has set up for this browser: the look, what makes a noise, and how the keys behave.

const PLACE = 'switchboard preferences';

const DEFAULTS = Object.freeze({
  theme: 'system',
  sound: false,
  notifications: false,
  singleKeys: true,
  enterSends: false,
  details: true,
});

let current = { ...DEFAULTS, ...stored() };
const watchers = new Set();

export function preference(name) {
  return current[name];
}

export function setPreference(name, value) {
  current = { ...current, [name]: value };
  try {
    localStorage.setItem(PLACE, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing has them until it is closed.
  }
  for (const tell of watchers) tell(name, value);
}

/** Tells `changed(name, value)` at every change. */
export function watchPreferences(changed) {
  watchers.add(changed);
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? '{}');
  } catch {
    return {};
  }
}
