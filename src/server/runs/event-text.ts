/** Events of runs as they go over the wire: server-sent events (WHATWG HTML, 9.2) whose data is one line of JSON. */
import { isUtf8 } from 'node:buffer';
import type { OutputStream } from '../../core/run.ts';
import { formatPosition } from './position.ts';
import type { Position } from './position.ts';
import type { ToldEvent } from './replay.ts';

/** Above this much a text of control characters is shorter as base64. */
const MOST_ESCAPED = 1.4;

/** @param position null: the event is no place to resume from */
export function eventText(name: string, data: object, position: Position | null): string {
  const id = position === null ? '' : `id: ${formatPosition(position)}\n`;
  return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function textOf(event: ToldEvent, position: Position): string {
  switch (event.kind) {
    case 'state':
      return eventText(event.state.name, event.state.data, position);
    case 'notice':
      return eventText('notice', event.data, position);
    case 'gap':
      return eventText('gap', { dropped: event.dropped }, position);
    case 'output':
      return outputText(event.stream, event.step, event.chunk, position);
  }
}

/** Every byte arrives: what is no UTF-8 by itself, because it is none or was cut, goes as base64. */
function outputText(stream: OutputStream, step: number, chunk: Buffer, position: Position): string {
  if (isUtf8(chunk)) {
    const text = eventText(stream, { step: step + 1, text: chunk.toString() }, position);
    if (text.length <= chunk.length * MOST_ESCAPED + 256) return text;
  }
  return eventText(stream, { step: step + 1, base64: chunk.toString('base64') }, position);
}
