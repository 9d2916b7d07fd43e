// The parser of server-sent events: the HTML standard's rules, however the bytes are cut.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import sse from '../src/sse.js';

const { SseParser } = sse;

/** The frames of a stream that comes in these chunks. */
function framesOf(chunks, parser = new SseParser()) {
  return chunks.flatMap((chunk) => [...parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)]);
}

const data = (chunks) => framesOf(chunks).map((frame) => frame.data);

test('lines end with LF, CR or CRLF, also mixed', () => {
  assert.deepEqual(data(['data: a\n\ndata: b\r\rdata: c\r\n\r\ndata: d\r\ndata: e\n\r']), ['a', 'b', 'c', 'd\ne']);
});

test('a stream means the same wherever it is cut, inside characters and CRLFs too', () => {
  const bytes = Buffer.from(
    '\ufeffretry: 2000\r\nid: 1\r\n\r\n: \r\n\nid: 2\revent: message.created\rdata: {"a":"é€😀"}\r\r' +
      'event: x\ndata: one\r\ndata:two\ndata\n\n',
  );
  const whole = framesOf([bytes]);
  assert.deepEqual(whole, [
    { name: 'message', data: null, id: '1' },
    { name: 'message.created', data: '{"a":"é€😀"}', id: '2' },
    { name: 'x', data: 'one\ntwo\n', id: null },
  ]);
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      assert.deepEqual(framesOf(chunks), whole, `cut at ${first} and ${second}`);
    }
  }
  assert.deepEqual(framesOf([...bytes].map((byte) => Uint8Array.of(byte))), whole);
});

test('a CR ends its line before anything comes after it', () => {
  assert.deepEqual(data(['data: now\r\r']), ['now']);
});

test('one space after the colon belongs to the syntax, and a field may be without a colon', () => {
  assert.deepEqual(data(['data:  x\n\ndata\n\ndata:\n\ndata:y: z\n\n']), [' x', '', '', 'y: z']);
});

test('comments and unknown fields mean nothing', () => {
  assert.deepEqual(data([': heartbeat\n:\nfoo: bar\nDATA: x\n data: y\n\ndata: z\n\n']), ['z']);
});

test('the mark at the beginning is dropped, and any other is text', () => {
  assert.deepEqual(data(['\ufeffdata: a\n\n\ufeffdata: b\n\ndata: \ufeffc\n\n']), ['a', '\ufeffc']);
});

test('an id with a NUL is ignored', () => {
  const parser = new SseParser();
  framesOf(['id: 1\n\nid: 2\0\ndata: x\n\n'], parser);
  assert.equal(parser.lastEventId, '1');
});

test('an empty id forgets the last one', () => {
  const parser = new SseParser();
  framesOf(['id: 1\n\nid\n\n'], parser);
  assert.equal(parser.lastEventId, '');
});

test('a frame without an id leaves the last id as it is', () => {
  const parser = new SseParser();
  const [, transient] = framesOf(['id: 1\ndata: a\n\ndata: b\n\n'], parser);
  assert.equal(transient.id, null);
  assert.equal(parser.lastEventId, '1');
});

test('what is cut off by the end of the stream does not count, nor does its id', () => {
  const parser = new SseParser();
  assert.deepEqual(framesOf(['id: 1\ndata: a\n\nid: 2\ndata: b\n'], parser).length, 1);
  assert.equal(parser.lastEventId, '1');
});

test('the pause before reconnecting is of digits only', () => {
  const parser = new SseParser();
  framesOf(['retry: 1500\nretry: 2s\nretry: -1\nretry:\n\n'], parser);
  assert.equal(parser.retryMs, 1500);
});

test('a name belongs to its frame alone', () => {
  assert.deepEqual(framesOf(['event: a\n\ndata: x\n\n'])[0].name, 'message');
});

test('bytes that are no UTF-8 become replacement characters', () => {
  assert.deepEqual(data([Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a])]), ['\ufffd']);
});
