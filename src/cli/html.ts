/**
 * A document as one HTML page that needs nothing else and may run nothing: raw HTML of the document is shown as text, and
 * the page itself forbids scripts, frames and whatever would be fetched.
 */
import { Marked } from 'marked';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
const isSafeLink = (href: string): boolean => /^(?:https?:|mailto:|#|\.{0,2}\/|[^:]*$)/i.test(href.trim());

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const LOOK =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}pre{overflow:auto;padding:.75rem;background:#8882}code{font-family:ui-monospace,monospace}table{border-collapse:collapse}td,th{border:1px solid #8888;padding:.25rem .5rem}blockquote{border-left:.25rem solid #8888;margin-left:0;padding-left:1rem}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}}';

export function renderHtml(title: string, markdown: string): string {
  const marked = new Marked({
    renderer: {
      html: ({ text }) => escape(text),
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        return isSafeLink(href) ? `<a href="${escape(href)}" rel="noopener noreferrer">${text}</a>` : text;
      },
      image: ({ text }) => escape(text),
    },
  });
  const body = marked.parse(markdown, { async: false });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${LOOK}</style>
</head>
<body>
${body}</body>
</html>
`;
}
