/** A document as one HTML page. Raw HTML of the document is shown as text: a page must not run what a runbook's author wrote. */
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
  return `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${escape(title)}</title>\n</head>\n<body>\n${body}</body>\n</html>\n`;
}
