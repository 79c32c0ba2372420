/** `traceparent` (W3C Trace Context): which trace of the caller's a request belongs to. */
import type { IncomingHttpHeaders } from 'node:http';

/** Version, trace, parent, flags. A later version may have more behind it, which is not for us. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** As version 00, harmless in environments and logs; null where there is none that holds. */
export function traceParentOf({ traceparent }: IncomingHttpHeaders): string | null {
  const [, version = '', trace = '', parent = '', flags = '', more] =
    FORM.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  const isEmpty = /^0*$/.test(trace) || /^0*$/.test(parent);
  if (isEmpty || version === 'ff' || (version === '00' && more !== undefined)) return null;
  return `00-${trace}-${parent}-${flags}`;
}
