/** Where a document's history can be written, by the kind of document. */
import type { DocumentHistory } from '../../core/ports.ts';
import { createMarkdownHistory } from './markdown-file.ts';

export const DOCUMENT_HISTORIES: Readonly<Record<'markdown', (options: { readonly ci: boolean }) => DocumentHistory>> =
  { markdown: createMarkdownHistory };
