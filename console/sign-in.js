// Owns the page before there is an agent: the token is asked for once, and lives on as a cookie that scripts cannot read.

import * as api from './api.js';
import { h, setText } from './dom.js';
import { mark } from './icons.js';

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** The form. `signedIn(me)` is told who it is; `notice` says why the form is here again. */
export function signInPage({ signedIn, notice = '' }) {
  const token = h('input', {
    id: 'token',
    name: 'token',
    type: 'password',
    autocomplete: 'current-password',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
    'aria-describedby': 'token-hint sign-in-problem',
  });
  const problem = h('p', { id: 'sign-in-problem', class: 'field-problem', role: 'alert' });
  const button = h('button', { class: 'primary large', type: 'submit' }, 'Sign in');

  async function submit(event) {
    event.preventDefault();
    const secret = token.value.trim();
    if (!secret) return refuse('Enter your access token.');
    button.disabled = true;
    setText(button, 'Signing in…');
    try {
      signedIn(await api.signIn(secret));
    } catch (problem) {
      refuse(wordsOf(problem));
    } finally {
      button.disabled = false;
      setText(button, 'Sign in');
    }
  }

  function refuse(words) {
    setText(problem, words);
    token.setAttribute('aria-invalid', 'true');
    token.focus();
    token.select();
  }

  const form = h(
    'form',
    { class: 'sign-in-form', onsubmit: submit, novalidate: true },
    h('label', { for: 'token' }, 'Access token'),
    token,
    problem,
    button,
    h('p', { id: 'token-hint', class: 'hint' }, hint()),
  );

  return h(
    'main',
    { class: 'sign-in' },
    h(
      'div',
      { class: 'sign-in-card' },
      mark(),
      h('h1', {}, 'Switchboard'),
      h('p', { class: 'sign-in-lead' }, notice || 'Sign in to answer your customers.'),
      form,
    ),
  );
}

function wordsOf(problem) {
  if (problem.kind === 'signed-out') return 'This token is unknown or has been revoked.';
  if (problem.slug === 'forbidden') return 'This token belongs to a bot. The console is for agents and admins.';
  return problem.words;
}

// Only on the machine itself: elsewhere the demo's tokens are refused anyway.
function hint() {
  const words = 'An admin makes tokens with switchboard token new.';
  return LOCAL.includes(location.hostname) ? [words, ' In the demo it is ', h('code', {}, 'demo-agent'), '.'] : words;
}
