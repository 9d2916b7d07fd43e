// Server-sent events, as bytes come in: the stream format of the HTML standard (9.2.6).
'use strict';

class SseParser {
  // It holds back what is incomplete of a character, and drops the mark at the stream's beginning.
  #decoder = new TextDecoder('utf-8');
  #line = '';
  #afterCr = false;
  #data = [];
  #name = '';
  #id = null;

  /** What to resume after: the last id of a frame that was complete. Null if there was none. */
  lastEventId = null;
  /** How long the server wants to be left alone after a broken line. Null if it said nothing. */
  retryMs = null;

  /** The frames that are complete with these bytes: `{ name, data, id }`. `id`: the frame's own, or null; `data`: null
   * in a frame that only says where the stream stands. */
  *push(bytes) {
    for (const line of this.#lines(this.#decoder.decode(bytes, { stream: true }))) {
      if (line !== '') {
        this.#field(line);
        continue;
      }
      const frame = this.#frame();
      if (frame) yield frame;
    }
  }

  /** A CR ends its line at once, as what comes after it may be long in coming; if that is an LF, it belongs to it. */
  *#lines(text) {
    if (text === '') return;
    const rest = this.#afterCr && text[0] === '\n' ? text.slice(1) : text;
    this.#afterCr = text.endsWith('\r');
    const lines = rest.split(/\r\n|\n|\r/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    yield* lines;
  }

  #field(line) {
    const colon = line.indexOf(':');
    // A comment.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#name = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
  }

  #frame() {
    const frame = {
      name: this.#name || 'message',
      data: this.#data.length > 0 ? this.#data.join('\n') : null,
      id: this.#id,
    };
    if (frame.id !== null) this.lastEventId = frame.id;
    this.#data = [];
    this.#name = '';
    this.#id = null;
    return frame.data === null && frame.id === null ? null : frame;
  }
}

module.exports = { SseParser };
