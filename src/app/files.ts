/** What faces need to write files of their own. */
export { draftBeside, tryFile, writeWhole } from '../adapters/system/whole-file.ts';
