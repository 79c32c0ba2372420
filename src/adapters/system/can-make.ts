/** Whether something can be written in a folder that may not be there yet. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';

/** As far as permissions tell. @throws Error of the system, like those of making the folder and a file in it */
export function checkCanMake(folder: string): void {
  try {
    if (!statSync(folder).isDirectory())
      throw Object.assign(new Error(`ENOTDIR: ${folder} is no folder`), { code: 'ENOTDIR' });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const parent = path.dirname(folder);
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    checkCanMake(parent);
  }
}
