/** Finds the imports of a TypeScript file: all of them, also those of types alone, which no bundler reports. */

export interface Import {
  /** Null: computed, so nobody can say what it is. */
  readonly specifier: string | null;
  /** `import type`, `export type … from`: gone at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** A `/` after one of these begins a regular expression, after anything else it divides. */
const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};+*%<>~^-]|\b(?:return|typeof|case|in|of|yield|await|throw|void|delete|do|else))\s*$/;
const SKIPPED = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*/y;

/**
 * The code alone: comments, and what strings, templates and regular expressions hold, become blanks. Every character
 * keeps its place, so that what is found here can be read in the original.
 */
export function maskText(text: string): string {
  let masked = '';
  /** Depth of braces in each template that is open; its code goes on in between. */
  const templates: number[] = [];
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = masked.length;
    return pattern.exec(text)?.[0] ?? '';
  };
  const blank = (from: string): void => {
    masked += from.replaceAll(/[^\n]/g, ' ');
  };
  const templateText = (): void => {
    blank(match(TEMPLATE_TEXT));
    if (text.startsWith('${', masked.length)) {
      masked += '${';
      templates.push(0);
    } else if (masked.length < text.length) masked += '`';
  };
  while (masked.length < text.length) {
    const character = text.charAt(masked.length);
    const skipped = match(SKIPPED);
    const depth = templates.at(-1);
    if (skipped.startsWith('/')) blank(skipped);
    else if (skipped !== '') {
      masked += character;
      blank(skipped.slice(1, -1));
      masked += character;
    } else if (character === '`') {
      masked += character;
      templateText();
    } else if (character === '}' && depth === 0) {
      masked += character;
      templates.pop();
      templateText();
    } else {
      const regex = character === '/' && BEFORE_REGEX.test(masked.slice(-200)) ? match(REGEX) : '';
      if (depth !== undefined && character === '{') templates.splice(-1, 1, depth + 1);
      if (depth !== undefined && character === '}') templates.splice(-1, 1, depth - 1);
      if (regex === '') masked += character;
      else blank(regex);
    }
  }
  return masked;
}

/** A blanked string, with its place. */
const STRING = /(?<quote>['"`])(?<blank>[ ]*)\k<quote>/.source;
const STATIC = new RegExp(
  `^[ \\t]*(?:import|export)\\b(?<type>\\s+type\\b(?!\\s*(?:,|from\\s*['"])))?(?:[^;'"\`()=]*?\\bfrom)?\\s*${STRING}`,
  'dgm',
);
const DYNAMIC = new RegExp(`\\b(?:import|require)\\s*\\(\\s*(?:${STRING}\\s*[,)])?`, 'dg');

export function importsOf(text: string): readonly Import[] {
  const masked = maskText(text);
  return [...masked.matchAll(STATIC), ...masked.matchAll(DYNAMIC)]
    .map((found): Import => {
      const place = found.indices?.groups?.['blank'];
      return {
        specifier: place === undefined ? null : text.slice(...place),
        typeOnly: found.groups?.['type'] !== undefined,
        line: masked.slice(0, found.index).split('\n').length,
      };
    })
    .sort((a, b) => a.line - b.line);
}
