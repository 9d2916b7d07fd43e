// Owns the beginning: whoever is signed in gets the desk, everybody else the way in.

import * as api from './api.js';
import { announcerElement } from './announcer.js';
import { startClock } from './clock.js';
import { openDesk } from './desk.js';
import { fill, h } from './dom.js';
import { preference, watchPreferences } from './preferences.js';
import { signInPage } from './sign-in.js';
import { toastsElement } from './toasts.js';

const page = document.getElementById('page');
let desk = null;

function showSignIn(notice) {
  desk?.close();
  desk = null;
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  document.title = 'Sign in · Switchboard';
  fill(page, signInPage({ signedIn: showDesk, notice }));
  page.querySelector('input').focus();
}

function showDesk(me) {
  desk?.close();
  desk = openDesk(page, me, {
    signedOut: () => showSignIn('You were signed out. What you typed is kept: sign in again to go on.'),
    left: () => showSignIn(''),
  });
}

async function begin() {
  try {
    showDesk(await api.me());
  } catch (problem) {
    if (problem.kind === 'signed-out') showSignIn('');
    else showUnreachable(problem);
  }
}

function showUnreachable(problem) {
  document.title = 'Switchboard';
  const again = h('button', { class: 'primary', type: 'button', onclick: begin }, 'Try again');
  fill(
    page,
    h(
      'main',
      { class: 'sign-in' },
      h('div', { class: 'sign-in-card' }, h('h1', {}, 'Switchboard'), h('p', { role: 'alert' }, problem.words), again),
    ),
  );
}

function wear(theme) {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
}

wear(preference('theme'));
watchPreferences((name, value) => name === 'theme' && wear(value));
document.body.append(announcerElement(), toastsElement());
startClock();
begin();
