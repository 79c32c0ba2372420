import { expect, it } from 'vitest';
import { openPage } from '../../helpers/browser.ts';
import { classic } from '../../helpers/cli.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';

it.skipIf(!requires('chromium'))(
  'the page shows every route, takes a token and tries one; the policy keeps out nothing that it needs',
  async () => {
    const server = await startServer({ runbooks: { 'Hello.md': classic('Hello', 'echo hello') } });
    const token = await server.token();
    const page = await openPage();
    await page.goTo(`${server.url}/docs/explorer.html`);
    await page.until(`document.querySelectorAll('.opblock').length >= 12`);
    expect(await page.ask(`document.querySelector('.title').textContent`)).toContain('Runbook API');

    // As a person would: Authorize, the token, close; open the list, try it, execute.
    const click = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}).click()`;
    await page.ask(click('.btn.authorize'));
    await page.until(`document.querySelector('.auth-container input') !== null`);
    await page.ask(`(() => {
      const input = document.querySelector('.auth-container input');
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, ${JSON.stringify(token)});
      input.dispatchEvent(new Event('input', { bubbles: true }));
    })()`);
    await page.ask(click('.auth-container button[type=submit], .auth-btn-wrapper .authorize'));
    await page.until(`document.querySelector('.auth-btn-wrapper .btn-done') !== null`);
    await page.ask(click('.auth-btn-wrapper .btn-done'));
    await page.ask(click('#operations-runbooks-listRunbooks .opblock-summary-control'));
    await page.until(`document.querySelector('#operations-runbooks-listRunbooks .try-out__btn') !== null`);
    await page.ask(click('#operations-runbooks-listRunbooks .try-out__btn'));
    await page.until(`document.querySelector('#operations-runbooks-listRunbooks .execute') !== null`);
    await page.ask(click('#operations-runbooks-listRunbooks .execute'));
    await page.until(
      `(document.querySelector('#operations-runbooks-listRunbooks .live-responses-table')?.textContent ?? '').includes('Hello.md')`,
    );

    expect(page.complaints).toEqual([]);
    // Nothing is asked of anybody else.
    expect(
      page.requests.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:') && url !== 'about:blank'),
    ).toEqual([]);
    // It can complain: what the policy does not allow is kept out.
    await page.ask(`document.body.insertAdjacentHTML('beforeend', '<img src="http://192.0.2.1/x.png">')`);
    await page.until(`true`);
    expect(page.complaints.join('\n')).toContain('Content Security Policy');
  },
);
