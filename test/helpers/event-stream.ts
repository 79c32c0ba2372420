/** Server-Sent Events read to the letter of the HTML standard, 9.2.6; small enough to be seen to be right. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** The last one that the stream had by then. */
  readonly id: string;
}

/** Events of a whole stream; one that no blank line ends does not count. */
export function readEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  let name = '';
  let data: string[] = [];
  let id = '';
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data.length > 0) events.push({ event: name === '' ? 'message' : name, data: data.join('\n'), id });
      name = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
  return events;
}
